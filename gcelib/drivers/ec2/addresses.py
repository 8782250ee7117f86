"""Elastic IPs: public addresses of the region, each for one machine at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.ec2.client import named
from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.places import Zones
from gcelib.drivers.ec2.wire import Tree, tags, text
from gcelib.drivers.generic.effects import Seen, reached
from gcelib.errors import NotFound
from gcelib.models import Address, Job


class Addresses(Facet):
    """An address is the whole region's, and is told to be in its first zone."""

    name = "addresses"

    def __init__(self, zones: Zones) -> None:
        super().__init__(zones.client, zones.effects, zones.settings)
        self._zones = zones

    def list(self) -> Sequence[Address]:
        """Every address of the account."""
        zone = next((each.id for each in self._zones.list()), "")
        return [
            Address(id_of(row), text(row, "publicIp"), zone, node_id=text(row, "instanceId"), held=held_by(row),
                    tags=tags(row))
            for row in self._rows()
        ]

    def acquire(self, *, key: str, zone_id: str, network_id: str, ip: str = "", known: Sequence[str] = (),
                submitted: str = "") -> Job:
        """Take an address; `ip` only where it was the account's before."""
        made = self.client.change(
            "AllocateAddress", Domain="vpc", Address=ip, TagSpecification=[named("elastic-ip", "", key)],
        )
        ip = self.client.made("AllocateAddress", made, "publicIp")
        return self.done(id_of(made), ip=ip)

    def release(self, *, key: str, id: str) -> Job:
        """Give it back, from a machine too; one already gone is done."""
        row = self._row(id)
        if row is None:
            return self.done(id)
        self._let_go(row)
        self.client.change("ReleaseAddress", AllocationId=id)
        return self.done(id)

    def enable_nat(self, *, key: str, id: str, node_id: str, network_id: str, ip: str = "") -> Job:
        """Let it stand for a machine's interface."""
        self.client.change(
            "AssociateAddress", AllocationId=id, InstanceId=node_id, PrivateIpAddress=ip, AllowReassociation=False,
        )
        return self.watch("enable_nat", {"id": id, "node_id": node_id}, id)

    def disable_nat(self, *, key: str, id: str) -> Job:
        """Let it stand for no machine any more; one that does not is done."""
        row = self._row(id)
        if row is not None:
            self._let_go(row)
        return self.watch("disable_nat", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the address as it is now."""
        if verb == "acquire":
            found = next(iter(self._rows(Filter=self.client.tagged(str(args["mark"])))), None)
            return None if found is None else reached(True, id_of(found), ip=text(found, "publicIp"))
        row = self._row(target)
        if verb == "release":
            return reached(row is None, target)
        user = text(row or {}, "instanceId")
        return reached(user == args["node_id"] if verb == "enable_nat" else not user, target)

    def _let_go(self, row: Tree) -> None:
        association = text(row, "associationId")
        if association:
            try:
                self.client.change("DisassociateAddress", AssociationId=association)
            except NotFound:
                # Its machine is gone, and the association with it.
                return

    def _row(self, id: str) -> Tree | None:
        return next(iter(self.client.some("DescribeAddresses", "addressesSet", AllocationId=[id])), None)

    def _rows(self, **params: Any) -> Sequence[Tree]:
        return self.client.list("DescribeAddresses", "addressesSet", **params)


def held_by(row: Tree) -> str:
    """The interface of a gateway, a balancer or another service that an address stands for; "" for none."""
    return "" if text(row, "instanceId") else text(row, "networkInterfaceId") or text(row, "associationId")


def id_of(row: Tree) -> str:
    """What an address is called in requests; one outside of VPCs has its digits only."""
    return text(row, "allocationId") or text(row, "publicIp")
