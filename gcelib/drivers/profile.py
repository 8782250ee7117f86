"""What introspection cannot see about a provider, as data, and what it can: the verbs of every facet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType

from gcelib.drivers import base

PROTOCOLS: dict[str, type | None] = {
    "zones": base.Zones,
    "sizes": base.Sizes,
    "images": base.Images,
    "nodes": base.Nodes,
    "volumes": base.Volumes,
    "snapshots": base.Snapshots,
    "networks": base.Networks,
    "firewalls": base.Firewalls,
    "addresses": base.Addresses,
    "balancers": base.Balancers,
    "vpcs": base.Vpcs,
    "routes": base.Routes,
    "guards": base.Guards,
    "acls": base.Acls,
    "keypairs": base.KeyPairs,
    "tags": base.Tags,
    "quotas": base.Quotas,
}
"""The shape of each facet; None where gcelib has none yet."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One of libcloud's compute providers.

    `endpoint` is where its API is when the configuration names none. `why_not` says, for people, why
    gcelib does not carry it.
    """

    name: str
    title: str
    carried: bool = False
    endpoint: str = ""
    why_not: str = ""


def verbs(facet: str) -> tuple[str, ...]:
    """The verbs a facet can have, in the order of its protocol."""
    shape = PROTOCOLS[facet]
    if shape is None:
        return ()
    return tuple(
        name for name, value in vars(shape).items() if isinstance(value, FunctionType) and name[0] != "_"
    )


def abilities_of(facets: Mapping[str, object]) -> Mapping[str, frozenset[str]]:
    """Facet to the verbs that these facet objects, or classes, really have; None is left out."""
    return {
        facet: frozenset(verb for verb in verbs(facet) if callable(getattr(owner, verb, None)))
        for facet, owner in facets.items()
        if owner is not None
    }
