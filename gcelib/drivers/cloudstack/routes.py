"""CloudStack's static routes, which only its VPCs have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.facet import Facet, gone, reached
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.models import Job, Route

HIDDEN = frozenset({"Deleting", "Revoke", "Update"})


class RouteRow(records.Tagged, frozen=True, kw_only=True):
    """A route; older releases tell the private gateway's address instead of a next hop."""

    vpcid: str = ""
    cidr: str = ""
    nexthop: str = ""
    vpcgatewayip: str = ""
    state: str = ""


class Routes(Facet):
    """listStaticRoutes and its commands."""

    name = "routes"
    jobbed = frozenset({"destroy"})

    def list(self) -> Sequence[Route]:
        """Every static route of the account's VPCs."""
        return [
            Route(row.id, row.vpcid, row.cidr, row.nexthop or row.vpcgatewayip, tags=row.pairs)
            for row in self._rows()
            if row.state not in HIDDEN
        ]

    def create(self, *, key: str, vpc_id: str, cidr: str, next_hop: str) -> Job:
        """createStaticRoute; releases before 4.20 know routes to private gateways only and refuse it."""
        args = {"vpc_id": vpc_id, "cidr": cidr, "next_hop": next_hop}
        return self.make("create", "createStaticRoute", args, vpcid=vpc_id, cidr=cidr, nexthop=next_hop)

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteStaticRoute; one already gone is done."""
        return self.send("destroy", "deleteStaticRoute", {"id": id}, key=key, target=id, id=id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The route's row, or that it is gone."""
        if verb == "destroy":
            return gone(any(row.id == target for row in self._rows()), target)
        wanted = (args["vpc_id"], args["cidr"], args["next_hop"])
        found = next((row.id for row in self.list() if (row.vpc_id, row.cidr, row.next_hop) == wanted), "")
        return reached(bool(found), found)

    def _rows(self) -> Sequence[RouteRow]:
        return self.client.rows("listStaticRoutes", "staticroute", RouteRow)
