"""What introspection cannot see about a provider, as data, and what it can: the verbs of every facet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

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

    `endpoint` is where its API is when the configuration names none, `endpoint_as` the argument of the driver that
    takes it whole ("" for host, port and secure). `why_not` says, for people, why gcelib does not carry it.
    `options` are given to every driver of it, before the configuration's; `arguments` to its calls, by call.
    `family` names the package under `gcelib.drivers` whose module `building` drives it.

    `one_driver`: what its driver knows lives in the driver object, so there is one, for ever.
    `keeps_names` False: a machine may get another name than was asked for. `off_is_terminated`: libcloud says
    "terminated" of a machine that is only switched off. `broken` are calls that its driver has and that do not
    work; `insists` are arguments that a call, or as "" its driver, needs beyond what it says, and `random` those that
    get a secret nobody is told; both by call. `by_name` are things that a machine is made of by their names.
    `disk_mb`: its sizes have their disks in MB. `lacks` says of a facet, or of "facet.verb", why it is missing.
    `id_key` is where a machine's `extra` has an id that lasts, where the machine's own does not. `zone_keys`,
    `size_keys` and `image_keys` are where it has those, tried before the usual ones; dots lead into inner tables.
    """

    name: str
    title: str
    carried: bool = False
    endpoint: str = ""
    why_not: str = ""
    family: str = "generic"
    endpoint_as: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    one_driver: bool = False
    keeps_names: bool = True
    off_is_terminated: bool = False
    broken: frozenset[str] = frozenset()
    insists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    random: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_name: frozenset[str] = frozenset()
    disk_mb: bool = False
    lacks: Mapping[str, str] = field(default_factory=dict)
    id_key: str = ""
    zone_keys: tuple[str, ...] = ()
    size_keys: tuple[str, ...] = ()
    image_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """What a cloud knows somebody by; `owned`: the daemon's own, not a caller's."""

    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    owned: bool = True


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
