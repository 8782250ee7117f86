"""Neutron's networks: each with its range, and a router of its own that leads out where there is an outside."""

from __future__ import annotations

import ipaddress
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from gcelib.drivers.generic.effects import Effects, Seen, reached
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import Facet, may_pass, utc
from gcelib.drivers.openstack.markers import decoded
from gcelib.drivers.openstack.places import Zones
from gcelib.drivers.openstack.records import NetworkRow, PortRow, RouterRow, SubnetRow
from gcelib.errors import Fault, InUse, NotFound
from gcelib.models import Job, Network

LOG = logging.getLogger(__name__)
OURS = "Kept by gcelib"
"""The description of a router that was made with its network, and goes with it."""
DOORS = ("network:router_interface", "network:ha_router_replicated_interface", "network:router_interface_distributed")
"""Whose ports join a router to a network."""
RANGE = "10.128.0.0/20"
"""The range of a network for which none is asked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a configuration may say of networks, names or ids: the one that is GCE's `default`, the one outside that
    floating addresses come from, and the range of a network for which none is asked."""

    default: str = ""
    outside: str = ""
    range: str = RANGE


@dataclass(frozen=True, slots=True)
class Plan:
    """How networks, ranges and routers hang together."""

    networks: Sequence[NetworkRow]
    subnets: Mapping[str, Sequence[SubnetRow]]
    doors: Mapping[str, Sequence[PortRow]]
    routers: Mapping[str, RouterRow]

    def outside(self, network_id: str) -> str:
        """The outside network that a network's machines can have addresses of; "" for none."""
        for port in self.doors.get(network_id, ()):
            router = self.routers.get(port.device_id or "")
            if router is not None and router.external_gateway_info is not None:
                return router.external_gateway_info.network_id or ""
        return ""


class Networks(Facet):
    """The project's networks and those shared with it, shown once in every zone: they are the region's."""

    name = "networks"

    def __init__(self, api: Api, effects: Effects, zones: Zones, choice: Choice) -> None:
        super().__init__(api, effects)
        self._zones, self._choice = zones, choice

    def list(self) -> Sequence[Network]:
        """Every network a machine can join."""
        plan, mine = self._plan(), self.api.me().project_id
        rows = [row for row in plan.networks if not row.external or row.shared]
        default = self._default(rows, mine)
        found = [self._network(row, plan, mine, row.id == default) for row in rows]
        return [replace(each, zone_id=zone) for zone in self._zones.names() for each in found]

    def outside(self, network_id: str) -> str:
        """The outside network whose addresses can stand for this network's machines; "" for none."""
        return self._plan().outside(network_id)

    def create(self, *, key: str, name: str, zone_id: str, description: str = "", cidr: str = "", gateway: str = "",
               vpc_id: str = "", acl_id: str = "") -> Job:
        """Make network, range, and a router to the outside; what is there of them already is taken.

        A network that is new and cannot be finished is taken back.
        """
        args = {"name": name, "description": description, "cidr": cidr, "gateway": gateway}
        there = self._named(name)
        row = there or self._begun(args)
        try:
            self._finish(row, args)
        except Fault as fault:
            if there is None and not may_pass(fault):
                self._take_back(row)
            raise
        return self.done(row.id)

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a network with its router and its ranges; one already gone is done."""
        self._raze(id)
        return self.done(id)

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Go on with what was broken off in the middle: every part is made or removed once."""
        if verb == "create":
            return reached(True, self._build(args))
        self._raze(target)
        return reached(True, target)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether a network is there with all its parts, or gone with them."""
        if verb == "destroy":
            return reached(self._row(target) is None and not self._routers(target), target)
        row = self._named(str(args["name"]))
        if row is None or not row.subnets:
            return None
        outside = self._way_out()
        return reached(not outside or bool(self._plan().outside(row.id)), row.id)

    def _build(self, args: Mapping[str, Any]) -> str:
        row = self._named(str(args["name"])) or self._begun(args)
        self._finish(row, args)
        return row.id

    def _begun(self, args: Mapping[str, Any]) -> NetworkRow:
        body = {"name": str(args["name"]), "description": str(args.get("description") or "")[:255]}
        return self.api.typed(self.api.make("network", "/v2.0/networks", "network", body), NetworkRow)

    def _finish(self, row: NetworkRow, args: Mapping[str, Any]) -> None:
        subnet_id = row.subnets[0] if row.subnets else self._range(row.id, args)
        outside = self._way_out()
        if outside and not self._plan().outside(row.id):
            self._lead_out(row.id, str(args["name"]), subnet_id, outside)

    def _take_back(self, row: NetworkRow) -> None:
        try:
            self._raze(row.id)
        except Fault as fault:
            LOG.warning("%s: network '%s' (%s) was refused in part, and stays: %s", self.at, row.name, row.id, fault)

    def _range(self, network_id: str, args: Mapping[str, Any]) -> str:
        cidr = str(args.get("cidr") or self._choice.range)
        wanted = {"network_id": network_id, "name": args["name"], "ip_version": ipaddress.ip_network(cidr).version,
                  "cidr": cidr, **({"gateway_ip": args["gateway"]} if args.get("gateway") else {})}
        return str(self.api.make("network", "/v2.0/subnets", "subnet", wanted)["id"])

    def _lead_out(self, network_id: str, name: str, subnet_id: str, outside: str) -> None:
        """Give a network its own router: one that several shared would join them, which GCE's are not."""
        mark = f"{OURS} for network {network_id}"
        router = next((row for row in self._plan().routers.values() if row.description == mark), None)
        if router is None:
            body = {"name": name, "description": mark, "external_gateway_info": {"network_id": outside}}
            router = self.api.typed(self.api.make("network", "/v2.0/routers", "router", body), RouterRow)
        if not any(port.device_id == router.id for port in self._plan().doors.get(network_id, ())):
            path = f"/v2.0/routers/{router.id}/add_router_interface"
            self.api.change("PUT", "network", path, {"subnet_id": subnet_id})

    def _raze(self, id: str) -> None:
        """The router first, which holds on to the network; one that others use as well stays without it."""
        users = [port for port in self._ports(id) if port.device_owner and not port.device_owner.startswith("network:")]
        if users:
            raise InUse(f"{self.at}: the network is still in use by {len(users)} interfaces of machines or others.")
        for port in self._plan().doors.get(id, ()):
            path = f"/v2.0/routers/{port.device_id}/remove_router_interface"
            try:
                self.api.change("PUT", "network", path, {"port_id": port.id})
            except NotFound:
                continue
        for router in self._routers(id):
            self.api.remove("network", f"/v2.0/routers/{router.id}")
        self.api.remove("network", f"/v2.0/networks/{id}")

    def _routers(self, network_id: str) -> Sequence[RouterRow]:
        """The router that was made for a network."""
        mark = f"{OURS} for network {network_id}"
        rows = self.api.rows("network", "/v2.0/routers", "routers", RouterRow, project_id=self.api.me().project_id)
        return [row for row in rows if row.description == mark]

    def _way_out(self) -> str:
        """The outside network to lead to: the one that is chosen, else the cloud's default, else the only one."""
        rows = [row for row in self._networks() if row.external]
        chosen = [row for row in rows if self._choice.outside in (row.id, row.name)]
        if self._choice.outside and not chosen:
            raise NotFound(f"{self.at} has no outside network '{self._choice.outside}', which option "
                           "floating_network names.")
        found = chosen or [row for row in rows if row.is_default] or (rows if len(rows) == 1 else [])
        return found[0].id if found else ""

    def _default(self, rows: Sequence[NetworkRow], mine: str) -> str:
        """The id of the network that is `default`: the chosen one, one of that name, else the project's first."""
        if self._choice.default:
            return next((row.id for row in rows if self._choice.default in (row.id, row.name)), "")
        own = sorted((row for row in rows if owner(row) == mine), key=lambda row: (str(row.created_at or ""), row.id))
        named = [row for row in own if row.name == "default"]
        rest = sorted((row for row in rows if owner(row) != mine), key=lambda row: row.id)
        return next((row.id for row in (*named, *own, *rest)), "")

    def _network(self, row: NetworkRow, plan: Plan, mine: str, default: bool) -> Network:
        subnets = sorted(plan.subnets.get(row.id, ()), key=lambda each: (each.ip_version, each.id))
        first = subnets[0] if subnets else SubnetRow()
        return Network(
            row.id, row.name or row.id, "", description=row.description or "", cidr=first.cidr,
            gateway=first.gateway_ip or "", default=default, grouped=True, own=owner(row) == mine,
            nat=bool(plan.outside(row.id)), guard="groups", created=utc(row.created_at), tags=decoded(row.tags or ()),
        )

    def _plan(self) -> Plan:
        mine = self.api.me().project_id
        subnets: dict[str, list[SubnetRow]] = defaultdict(list)
        for subnet in self.api.rows("network", "/v2.0/subnets", "subnets", SubnetRow):
            subnets[subnet.network_id].append(subnet)
        doors: dict[str, list[PortRow]] = defaultdict(list)
        for port in self._ports():
            if port.device_owner in DOORS:
                doors[port.network_id].append(port)
        routers = self.api.rows("network", "/v2.0/routers", "routers", RouterRow, project_id=mine)
        return Plan(self._networks(), subnets, doors, {row.id: row for row in routers})

    def _networks(self) -> Sequence[NetworkRow]:
        """The networks the project may use; to an administrator Neutron shows everybody's."""
        mine = self.api.me().project_id
        rows = self.api.rows("network", "/v2.0/networks", "networks", NetworkRow)
        return [row for row in rows if row.external or row.shared or owner(row) == mine]

    def _ports(self, network_id: str = "") -> Iterable[PortRow]:
        return self.api.rows("network", "/v2.0/ports", "ports", PortRow, network_id=network_id or None)

    def _row(self, id: str) -> NetworkRow | None:
        return self.api.one("network", f"/v2.0/networks/{id}", "network", NetworkRow)

    def _named(self, name: str) -> NetworkRow | None:
        """The project's own network of this name."""
        mine = self.api.me().project_id
        return next((row for row in self._networks() if row.name == name and owner(row) == mine), None)


def owner(row: NetworkRow) -> str:
    """The project whose a network is; older clouds say tenant."""
    return row.project_id or row.tenant_id or ""

