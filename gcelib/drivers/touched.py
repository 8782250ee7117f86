"""Which remembered lists a change makes old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib.drivers.base import FACETS

MOVING = frozenset(FACETS) - {"zones", "sizes", "images"}
"""The facets that any change may touch: a new machine brings a disk, uses quota, joins groups."""
_TAGGED = {"image": "images"}


def kind_of(facet: str, args: Mapping[str, Any]) -> str:
    """What a write changes beside all that moves: a facet of its own, "" for none."""
    own = _TAGGED.get(str(args.get("kind", "")), facet)
    return "" if own in MOVING else own


def stale(*kinds: str) -> frozenset[str]:
    """The facets that changes of these kinds may have changed."""
    return MOVING.union(kinds) - {""}
