"""One cloud over any of libcloud's drivers: the facets its class has the calls for, and the way in for changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gcelib.config.keys import Holder
from gcelib.drivers.base import FACETS, Traits
from gcelib.drivers.generic.disks import Snapshots, Volumes
from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.effects import Effects
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.generic.keypairs import KeyPairs
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.generic.nodes import Nodes
from gcelib.drivers.generic.offers import Images, Sizes
from gcelib.drivers.generic.places import Networks, Zones
from gcelib.drivers.profile import verbs
from gcelib.errors import Unsupported
from gcelib.models import Job


class Generic:
    """A `Cloud`. A provider's own folder derives from it and puts its facets in place of these."""

    kinds: ClassVar[Mapping[str, type[Facet]]] = {
        "zones": Zones, "sizes": Sizes, "images": Images, "nodes": Nodes, "volumes": Volumes, "snapshots": Snapshots,
        "networks": Networks, "keypairs": KeyPairs,
    }

    def __init__(self, door: Door) -> None:
        self.name, self.provider = door.at.cloud, door.at.provider
        self._door = door
        self._effects = Effects(door.at)
        self._facets = self.made(door, self._effects)
        self._abilities = able(door.kind, self.kinds)
        self._effects.owners = dict(self._facets)
        for facet in FACETS:
            setattr(self, facet, self._facets[facet] if self._abilities.get(facet) else None)

    def made(self, door: Door, effects: Effects) -> dict[str, Facet]:
        """Every facet of `kinds`, each knowing those it needs."""
        zones, sizes, images = Zones(door, effects), Sizes(door, effects), Images(door, effects)
        keys = KeyPairs(door, effects)
        nodes = Nodes(zones, sizes, images, keys, effects)
        volumes = Volumes(zones, nodes, sizes, effects)
        return {
            "zones": zones, "sizes": sizes, "images": images, "nodes": nodes, "volumes": volumes,
            "snapshots": Snapshots(volumes, effects), "networks": Networks(zones), "keypairs": keys,
        }

    @property
    def traits(self) -> Traits:
        """Facts about this cloud; nothing is asked."""
        return Traits(
            tag_chars=0, default_group="", keeps_names=self._door.kind.profile.keeps_names, queues=False,
        )

    def abilities(self) -> Mapping[str, frozenset[str]]:
        """Facet to verbs: those that the driver's class has the calls for."""
        return self._abilities

    def why_not(self, facet: str, verb: str) -> str:
        """Why this cloud has no such verb, for people: a sentence's second half."""
        return why_not(self._door.kind, self.kinds, facet, verb)

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        """Carry out one write in a thread. Raises Unsupported, and what the cloud says of it within seconds."""
        self._known(facet, verb)
        change = getattr(self._facets[facet], verb)
        return self._effects.send(facet, verb, args, key, lambda: change(key=key, **args))

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """An earlier attempt at this write that is being sent, or its visible effect; None: it never happened."""
        self._known(facet, verb)
        return self._effects.seek(facet, verb, args, key)

    def poll(self, job: Job) -> Job:
        """How far the job is."""
        return self._effects.poll(job)

    def ping(self) -> None:
        """One authenticated list. Raises Unavailable for wrong keys, or when there is no answer."""
        kind = self._door.kind
        self._door.read("list_locations" if kind.has("list_locations") and not kind.has("list_sizes") else "list_nodes")

    def holder(self) -> Holder:
        """Raises Unsupported: libcloud's base API does not say whose keys they are."""
        raise Unsupported(
            f"{self._door.at} does not tell whose keys these are, so callers cannot sign in with keys of their own; "
            'give it keys under [clouds] and write credentials = "cloud".'
        )

    def close(self) -> None:
        """Close every connection."""
        self._effects.close()
        self._door.close()

    def _known(self, facet: str, verb: str) -> None:
        if verb not in self._abilities.get(facet, ()):
            raise Unsupported(f"{self._door.at} has no {facet}.{verb}: {self.why_not(facet, verb)}.")


def able(kind: Kind, facets: Mapping[str, type[Facet]]) -> dict[str, frozenset[str]]:
    """Facet to the verbs that a driver's class has the calls for; facets that can nothing are left out."""
    found: dict[str, frozenset[str]] = {}
    for facet, shape in facets.items():
        can = frozenset(
            verb for verb in verbs(facet)
            if callable(getattr(shape, verb, None)) and shape.can(kind, verb)
            and facet not in kind.profile.lacks and f"{facet}.{verb}" not in kind.profile.lacks
        )
        if "list" in can or (can and "list" not in verbs(facet)):
            found[facet] = can
    return found


def why_not(kind: Kind, facets: Mapping[str, type[Facet]], facet: str, verb: str) -> str:
    """Why a verb is missing: what its profile says, else what libcloud's driver lacks, else that gcelib has no way."""
    said = kind.profile.lacks.get(f"{facet}.{verb}") or kind.profile.lacks.get(facet)
    if said:
        return said
    shape = facets.get(facet)
    lacking = [call for call in shape.needs.get(verb, ()) if not kind.has(call)] if shape else []
    if lacking:
        return f"libcloud's driver has no {', '.join(lacking)}"
    if facet == "keypairs":
        return "libcloud's driver gives machines no keys"
    return f"libcloud's base API has no {facet}" if shape is None else f"libcloud's base API cannot {verb} {facet}"
