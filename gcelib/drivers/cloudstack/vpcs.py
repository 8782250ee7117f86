"""CloudStack's virtual private clouds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.facet import Facet, gone, line_of
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.errors import Exists, Unsupported
from gcelib.models import Job, JobState, Vpc, VpcType


class VpcRow(records.Tagged, frozen=True, kw_only=True):
    """A VPC; its tiers are networks that name it."""

    name: str = ""
    displaytext: str = ""
    cidr: str = ""
    zoneid: str = ""
    created: str = ""
    state: str = ""


class VpcOfferingRow(records.Row, frozen=True, kw_only=True):
    """What a VPC can be made from."""

    name: str = ""
    isdefault: bool = False
    state: str = "Enabled"


class Vpcs(Facet):
    """listVPCs and its commands."""

    name = "vpcs"
    jobbed = frozenset({"destroy"})
    once = frozenset({"create"})

    def list(self) -> Sequence[Vpc]:
        """Every VPC of the account."""
        return [
            Vpc(
                id=row.id,
                name=row.name or row.id,
                zone_id=row.zoneid,
                description="" if row.displaytext == row.name else row.displaytext,
                cidr=row.cidr,
                created=wire.time_of(row.created),
                tags=row.pairs,
            )
            for row in self._rows()
        ]

    def types(self) -> Sequence[VpcType]:
        """listVPCOfferings, the default one first; none where users are kept from them."""
        try:
            rows = self.client.rows("listVPCOfferings", "vpcoffering", VpcOfferingRow, state="Enabled")
        except Unsupported:
            return []
        return [VpcType(row.id, row.name or row.id) for row in sorted(rows, key=lambda row: not row.isdefault)]

    def create(
        self, *, key: str, name: str, zone_id: str, type_id: str, cidr: str, description: str = "",
        submitted: str = "",
    ) -> Job:
        """createVPC. Raises Exists for a name taken in the zone (CloudStack would make a second one)."""
        args = {"name": name, "zone_id": zone_id, "submitted": submitted}
        if any(_named(row, name, zone_id) for row in self._rows()):
            raise Exists(f"{self.client.at} has a private cloud named '{name}' already.")
        return self.make(
            "create", "createVPC", args, name=name, displaytext=line_of(description) or name, zoneid=zone_id,
            vpcofferingid=type_id, cidr=cidr,
        )  # fmt: skip

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteVPC; one already gone is done."""
        return self.send("destroy", "deleteVPC", {"id": id}, key=key, target=id, id=id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The VPC's row, or that it is gone."""
        rows = self._rows()
        if verb == "destroy":
            return gone(any(row.id == target for row in rows), target)
        for row in rows:
            named = not target and _named(row, args["name"], args["zone_id"]) and self.young(row.created, args)
            if row.id == target if target else named:
                state = JobState.RUNNING if row.busy else JobState.DONE
                return Seen(state, row.id, {"id": row.id}, job=row.jobid if row.busy else "")
        return None

    def _rows(self) -> Sequence[VpcRow]:
        return self.client.rows("listVPCs", "vpc", VpcRow)


def _named(row: VpcRow, name: str, zone_id: str) -> bool:
    return row.name.casefold() == name.casefold() and row.zoneid == zone_id
