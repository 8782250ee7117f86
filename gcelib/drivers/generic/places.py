"""Where a cloud's machines are: its locations as zones, and the one network of a cloud that tells of none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.facet import Facet
from gcelib.errors import Unsupported
from gcelib.models import Network, Zone

ONLY = "only"
"""The id of a zone that stands for a whole cloud, and of a network that stands for whatever machines are in."""


class Zones(Facet):
    """list_locations, where a machine can be made in one of them; else one zone with the cloud's own name."""

    name = "zones"

    def list(self) -> Sequence[Zone]:
        """Every place a machine can be asked to be in."""
        found = self.locations()
        if not found:
            return [Zone(ONLY, self.door.at.cloud, description=f"All of cloud {self.door.at.cloud}")]
        return [
            Zone(str(each.id), str(each.name or each.id), description=str(each.country or ""), picks_network=False)
            for each in found
        ]

    def locations(self) -> Sequence[Any]:
        """libcloud's own objects; none where it does not matter which is asked for."""
        kind = self.door.kind
        if not kind.has("list_locations") or not kind.argument("create_node", "location"):
            return []
        try:
            return [each for each in self.door.rows("list_locations") if each.id not in (None, "")]
        except Unsupported:
            # The driver has the call, and it only says that it cannot.
            return []

    def location(self, id: str) -> Any:
        """libcloud's object for one zone; None for the only one."""
        return next((each for each in self.locations() if str(each.id) == id), None)


class Networks(Facet):
    """The network GCE's clients must name: `default`, one in each zone, which nobody can change."""

    name = "networks"

    def __init__(self, zones: Zones) -> None:
        super().__init__(zones.door, zones.effects)
        self._zones = zones

    def list(self) -> Sequence[Network]:
        """One network a zone."""
        why = "The network that the cloud puts machines into"
        return [Network(network_id(zone.id), "default", zone.id, description=why, default=True)
                for zone in self._zones.list()]


def network_id(zone_id: str) -> str:
    """The id of a zone's only network."""
    return f"{ONLY}:{zone_id}"


def by_any_name(zones: Sequence[Zone]) -> Mapping[str, str]:
    """Zone ids by id and by name, the ids first."""
    return {**{zone.id: zone.id for zone in zones}, **{zone.name: zone.id for zone in zones}}
