"""Where OpenStack's machines are, and how large they can be: availability zones and flavors."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib import naming
from gcelib.drivers.openstack.facet import Facet
from gcelib.drivers.openstack.records import FlavorRow, ZoneRow
from gcelib.models import Size, Zone


class Zones(Facet):
    """Nova's availability zones, all in the region whose services are used; libcloud has no list of them."""

    name = "zones"

    def list(self) -> Sequence[Zone]:
        """Every zone a machine can be asked to be in."""
        rows, region = self.rows(), self.api.me().region
        # Addresses and networks are the region's: zones whose names would put them into several are put into one.
        agree = len({naming.region_of(naming.zone_label(row.name)) for row in rows}) < 2
        return [
            Zone(row.name, row.name, up=row.state.available, description=f"Availability zone {row.name} of {region}",
                 region="" if agree else region, security_groups=True, own_networks=True, picks_network=True)
            for row in rows
        ]

    def rows(self) -> Sequence[ZoneRow]:
        """Nova's own."""
        return self.api.rows("compute", "/os-availability-zone", "availabilityZoneInfo", ZoneRow)

    def names(self) -> Sequence[str]:
        """The names of all zones, which are their ids; the first is where things are shown that are in none."""
        return [row.name for row in self.rows()]


class Sizes(Facet):
    """Nova's flavors. The disk of a flavor is what a machine gets that asks for no size: not a limit."""

    name = "sizes"

    def list(self) -> Sequence[Size]:
        """Every flavor that can be used."""
        return [
            Size(row.id, row.name or row.id, row.vcpus, row.ram, description=row.description or "")
            for row in self.rows() if not row.disabled
        ]

    def rows(self) -> Sequence[FlavorRow]:
        """Nova's own."""
        return self.api.rows("compute", "/flavors/detail", "flavors", FlavorRow)
