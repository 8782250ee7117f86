"""CloudStack's public addresses."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import Client
from gcelib.models import Address


class Addresses:
    """listPublicIpAddresses."""

    name = "addresses"

    def __init__(self, client: Client) -> None:
        self.client = client

    def list(self) -> Sequence[Address]:
        """The addresses the account holds; in a basic zone there are none."""
        rows = self.client.rows("listPublicIpAddresses", "publicipaddress", records.AddressRow)
        return [
            Address(
                id=row.id,
                ip=row.ipaddress,
                zone_id=row.zoneid,
                network_id=row.associatednetworkid,
                node_id=row.virtualmachineid,
                source_nat=row.issourcenat,
                created=wire.time_of(row.allocated),
                tags=row.pairs,
            )
            for row in rows
            if row.state not in ("Releasing", "Free")
        ]
