"""Routes: those that every network has by itself, and the static ones of private clouds."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.errors import Exists, Invalid, Missing, Unsupported
from gcelib.models import Network, Route
from gcelib.server import networks, permissions, remarks, unmet
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.networks import Shown
from gcelib.server.operations.plan import Step, Work
from gcelib.server.ranges import range_of
from gcelib.server.times import EPOCH, rfc3339

ANYWHERE = "0.0.0.0/0"
USUAL = 1000
HOPS = ("nextHopInstance", "nextHopGateway", "nextHopIlb", "nextHopVpnTunnel", "nextHopHub", "nextHopNetwork",
        "nextHopPeering")
WISHES: unmet.Wishes = dict.fromkeys((*HOPS, "tags", "params"), bool)


@dataclass(frozen=True, slots=True)
class Way:
    """One GCE route: a cloud's static `route`, or what comes with a `part` of its network. `name` is its own."""

    name: str
    network: str
    cidr: str
    cloud: Cloud
    part: Found[Network] | None = None
    route: Route | None = None


class Routes(Collection):
    """A cloud's network routes its own range and the way out; only private clouds take further routes."""

    name, kind = "routes", "route"
    looks = ("zones.list", "networks.list", "vpcs.list", "routes.list")

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", way) for way in _ways(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Way:
        ways = _ways(ctx)
        found = ways.get(ref) or next((way for way in ways.values() if _number(ctx, way) == ref), None)
        if found is None:
            raise missing(ctx, "global", self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Way) -> Rendered:
        shown: Rendered = {
            "id": _number(ctx, item), "name": item.name, "network": ctx.link("global", "networks", item.network),
            "destRange": item.cidr, "priority": USUAL, "creationTimestamp": EPOCH, "routeStatus": "ACTIVE",
        }
        if item.part is not None:
            shown["creationTimestamp"] = rfc3339(item.part.model.created)
        if item.route is not None:
            said = {name: _said(ctx, item, name) for name in ("description", "priority")}
            return {**shown, "description": said["description"], "priority": int(said["priority"] or USUAL),
                    "nextHopIp": item.route.next_hop, "routeType": "STATIC"}  # fmt: skip
        if item.cidr == ANYWHERE:
            return {**shown, "description": "Default route to the Internet.", "routeType": "STATIC",
                    "nextHopGateway": ctx.link("global", "gateways", "default-internet-gateway")}  # fmt: skip
        return {**shown, "description": f"Default local route to {item.cidr} of network '{item.network}'.",
                "priority": 0, "routeType": "SUBNET", "nextHopNetwork": shown["network"]}  # fmt: skip

    def insert(self, ctx: Context) -> Work:
        """A static route in every private cloud of the network."""
        name = ctx.body["name"]
        if name in _ways(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/global/routes/{name}' already exists")
        network, args = _network(ctx), _asked(ctx)
        said = {"name": name, "description": ctx.body.get("description", "")}
        priority = int(ctx.body.get("priority", USUAL))
        said["priority"] = "" if priority == USUAL else str(priority)
        steps: list[Step] = []
        for vpc in network.vpcs:
            label = f"route {vpc.zone}"
            undo = Step(f"drop {label}", vpc.cloud.name, "routes", "destroy", {"id": {"$ref": f"{label}.target"}})
            made = {**args, "vpc_id": vpc.model.id}
            steps.append(Step(label, vpc.cloud.name, "routes", "create", made, undo=undo))
            steps += networks.kept(vpc.cloud, "route", label, said)
        return _work(ctx, "insert", name, steps)

    def delete(self, ctx: Context) -> Work:
        """Delete a static route."""
        item = self.find(ctx, "global", ctx.params["route"])
        if item.route is None:
            raise Unsupported(
                f"{ctx.method.id} is not offered on cloud '{item.cloud.name}' for route '{item.name}': it comes with "
                f"network '{item.network}' and goes with it.")
        steps: list[Step] = []
        for way in _static(ctx):
            if way.name == item.name and way.route is not None:
                label = f"route {way.route.id}"
                steps.append(Step(label, way.cloud.name, "routes", "destroy", {"id": way.route.id}))
                if (way.cloud.name, way.route.id) in ctx.view.note("route"):
                    where = {"place": way.cloud.name, "kind": "route", "id": way.route.id}
                    steps.append(Step(f"un-note {label}", "", "notes", "delete", where))
        return _work(ctx, "delete", item.name, steps)

    def test_iam_permissions(self, ctx: Context) -> Rendered:
        """Those of the permissions asked about that the caller has on it."""
        self.find(ctx, "global", ctx.params["resource"])
        return permissions.held(ctx)


def _ways(ctx: Context) -> dict[str, Way]:
    """Every route by its name; of a network in several zones each range once."""
    found: dict[str, Way] = {}
    for shown in networks.networks(ctx).values():
        for part in shown.parts:
            for cidr in _ranges(part.model):
                name = _label(f"{ctx.tenancy} {shown.name} {cidr}", "default-route")
                found.setdefault(name, Way(name, shown.name, cidr, part.cloud, part=part))
    for way in _static(ctx):
        found.setdefault(way.name, way)
    return found


def _ranges(network: Network) -> list[str]:
    """Where a network's machines get to by themselves: their own range, and out where there is a router."""
    ranges = [str(ipaddress.ip_network(network.cidr, strict=False))] if network.cidr else []
    return [*ranges, *([ANYWHERE] if network.gateway or network.guard else [])]


def _static(ctx: Context) -> list[Way]:
    """The clouds' static routes; one that was made elsewhere has a name made of its id."""
    found: list[Way] = []
    for part in ctx.view.parts("routes"):
        for route in part.rows:
            vpc = ctx.view.vpcs.by_id(part.cloud.name, route.vpc_id)
            if vpc is not None:
                way = Way("", vpc.name, route.cidr, part.cloud, route=route)
                name = _said(ctx, way, "name") or _label(route.id, "route")
                found.append(Way(name, vpc.name, route.cidr, part.cloud, route=route))
    return found


def _said(ctx: Context, way: Way, name: str) -> str:
    assert way.route is not None
    note = ctx.view.note("route").get((way.cloud.name, way.route.id), {})
    return str(remarks.said_of(name, way.route.tags, note))


def _label(text: str, prefix: str) -> str:
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _number(ctx: Context, way: Way) -> str:
    return naming.number("", "route", f"{ctx.tenancy} {way.name}")


def _network(ctx: Context) -> Shown:
    """The network it is for. Raises Missing, Invalid, and Unsupported for one that takes no routes."""
    field = "resource.network"
    if not ctx.body.get("network"):
        raise Missing(f"Required field '{field}' not specified", field=field)
    found = networks.find(ctx, ctx.ref(ctx.body["network"], "networks", field).name)
    if found is None:
        raise Invalid(f"Invalid value for field '{field}': '{ctx.body['network']}'. The referenced network resource "
                      "cannot be found.", field=field)
    clouds = sorted({each.cloud.name for each in (*found.vpcs, *found.parts, *ctx.view.zones)})
    if not found.vpcs:
        raise Unsupported(
            f"{ctx.method.id} for network '{found.name}' is not offered on cloud '{clouds[0]}': only private clouds "
            "have static routes. Make a network in custom mode, and a subnetwork in it first.", field=field)
    for vpc in found.vpcs:
        unmet.refuse(ctx, vpc.cloud, ctx.body, WISHES, "private clouds' routes", "resource")
    return found


def _asked(ctx: Context) -> dict[str, str]:
    """What the route does. Raises Missing and Invalid naming the field."""
    cidr = range_of(ctx.body.get("destRange", ""), "resource.destRange")
    hop = ctx.body.get("nextHopIp", "")
    if not hop:
        raise Missing("Required field 'resource.nextHopIp' not specified: a route leads to an address.",
                      field="resource.nextHopIp")
    try:
        return {"cidr": str(cidr), "next_hop": str(ipaddress.IPv4Address(hop))}
    except ValueError as error:
        raise Invalid(f"Invalid value for field 'resource.nextHopIp': '{hop}'. Must be an IPv4 address.",
                      field="resource.nextHopIp") from error


def _work(ctx: Context, verb: str, name: str, steps: list[Step]) -> Work:
    number = naming.number("", "route", f"{ctx.tenancy} {name}")
    return Work(verb, f"{ctx.project}/global/routes/{name}", steps, main=steps[0].name, target_id=number)
