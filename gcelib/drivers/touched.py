"""Which remembered lists a change makes old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib.drivers.base import FACETS

MOVING = frozenset(FACETS) - {"zones", "sizes", "images"}
"""The facets that any change may touch: a new machine brings a disk, uses quota, joins groups."""
SETTLED = frozenset({"networks", "vpcs", "routes", "acls", "keypairs"})
"""The facets that no change of a machine or a disk touches, but for a machine that brings its zone's first network."""
_APART, _APART_TAGGED = ("nodes", "volumes", "snapshots"), ("node", "volume", "snapshot")
_TAGGED = {"image": "images"}


@dataclass(frozen=True, slots=True)
class Touch:
    """What a change makes old: these facets' lists; of what was asked for by a name, only `about`, "" for all."""

    facets: frozenset[str]
    about: str = ""


def touched(facet: str, verb: str, args: Mapping[str, Any], networks: Sequence[Any]) -> Touch:
    """What one write makes old; `networks` are those that are remembered."""
    about = str(args.get("name", "")) if verb in ("create", "create_group") else ""
    if verb == "create_group" or facet == "keypairs":
        return Touch(frozenset({facet, "quotas"}), about)
    facets = stale(kind_of(facet, args))
    first = (facet, verb) == ("nodes", "create") and not args.get("network_ids") and not any(
        row.zone_id == args.get("zone_id") for row in networks)
    if not first and (facet in _APART or args.get("kind") in _APART_TAGGED):
        facets -= SETTLED
    return Touch(facets, about)


def kind_of(facet: str, args: Mapping[str, Any]) -> str:
    """What a write changes beside all that moves: a facet of its own, "" for none."""
    own = _TAGGED.get(str(args.get("kind", "")), facet)
    return "" if own in MOVING else own


def stale(*kinds: str) -> frozenset[str]:
    """The facets that changes of these kinds may have changed."""
    return MOVING.union(kinds) - {""}
