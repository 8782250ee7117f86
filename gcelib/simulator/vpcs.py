"""Virtual private clouds and their static routes."""

from __future__ import annotations

import ipaddress

from gcelib.simulator.acls import remove_list
from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, invalid
from gcelib.simulator.listing import listing
from gcelib.simulator.networks import network_row
from gcelib.simulator.places import AclList, Network, PublicAddress, StaticRoute, Vpc, VpcOffering, Zone
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Row
from gcelib.simulator.release import release_address

PRIVATE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def _row(call: Call, vpc: Vpc) -> Row:
    tiers = [network for network in call.world.all(Network) if network.vpc_id == vpc.id]
    return {
        "id": vpc.id,
        "name": vpc.name,
        "displaytext": vpc.displaytext,
        "cidr": vpc.cidr,
        "state": vpc.state,
        "zoneid": vpc.zone.id,
        "zonename": vpc.zone.name,
        "vpcofferingid": vpc.offering.id,
        "vpcofferingname": vpc.offering.name,
        "created": date_text(vpc.created),
        "networkdomain": vpc.domain,
        "restartrequired": False,
        "service": [],
        "network": [network_row(call, tier) for tier in tiers],
        **ownership(call.world, vpc.owner),
        "tags": tag_rows(call.world, vpc),
        **job_fields(vpc),
    }


@command("listVPCs")
def list_vpcs(call: Call) -> Row:
    """The caller's private clouds."""
    rows = call.selected(call.visible(Vpc), name="name", cidr="cidr", state="state")
    return listing(call, "vpc", rows, lambda vpc: _row(call, vpc))


@command("listVPCOfferings")
def list_vpc_offerings(call: Call) -> Row:
    """What private clouds can be made from."""
    call.params.pop("zoneid", None)

    def show(offering: VpcOffering) -> Row:
        return {"id": offering.id, "name": offering.name, "displaytext": offering.name, "isdefault": True,
                "state": "Enabled", "created": date_text(offering.created), "service": []}  # fmt: skip

    return listing(call, "vpcoffering", call.selected(call.world.all(VpcOffering), name="name"), show)


@command("createVPC", seconds=2)
def create_vpc(call: Call) -> Task:
    """Make a private cloud in an advanced zone."""
    zone, offering, owner = call.shared(Zone, "zoneid"), call.shared(VpcOffering, "vpcofferingid"), call.owner()
    try:
        cidr = ipaddress.ip_network(call.text("cidr"))
    except ValueError:
        raise invalid(f"Invalid cidr {call.text('cidr')}") from None
    if not any(cidr.version == 4 and cidr.subnet_of(block) for block in PRIVATE):  # type: ignore[arg-type]
        raise invalid(f"The cidr {cidr} of a private cloud must be private (RFC 1918)")
    if not zone.isolated:
        raise invalid(f"Private clouds can't be made in zone {zone.name}")
    demand(call.world, owner, "vpc")
    vpc_id = call.world.new_id("vpc")
    vpc = call.world.add(
        Vpc(id=vpc_id, owner=owner, created=call.world.now(), name=call.text("name"),
            displaytext=call.text("displaytext", call.text("name")), cidr=str(cidr), zone=zone, offering=offering,
            domain=call.text("networkdomain", f"cs{vpc_id[:6]}.cloud.internal"))
    )  # fmt: skip

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            call.world.remove(vpc)
            raise
        return {"vpc": _row(call, vpc)}

    return Task(body=body(), on=vpc, event="VPC.CREATE")


@command("deleteVPC", seconds=2)
def delete_vpc(call: Call) -> Task:
    """Delete a private cloud that has no tier left."""
    vpc, world = call.find(Vpc, "id"), call.world

    def body() -> Body:
        if any(network.vpc_id == vpc.id for network in world.all(Network)):
            raise invalid(f"Can't delete private cloud {vpc.name}: it has tiers")
        yield 1.0
        for address in world.all(PublicAddress):
            if address.vpc_id == vpc.id:
                release_address(world, address)
        for route in world.all(StaticRoute):
            if route.vpc is vpc:
                world.remove(route)
        for acl in world.all(AclList):
            if acl.vpc is vpc:
                remove_list(world, acl)
        world.remove(vpc)
        return {"success": True}

    return Task(body=body(), on=vpc, event="VPC.DELETE")


def _route_row(call: Call, route: StaticRoute) -> Row:
    return {
        "id": route.id,
        "vpcid": route.vpc.id,
        "cidr": route.cidr,
        "nexthop": route.next_hop,
        "state": route.state,
        **ownership(call.world, route.owner),
        "tags": tag_rows(call.world, route),
    }


@command("listStaticRoutes")
def list_static_routes(call: Call) -> Row:
    """The caller's routes."""
    rows = call.selected(call.visible(StaticRoute), state="state")
    if call.given("vpcid"):
        rows = [route for route in rows if route.vpc.id == call.text("vpcid")]
    return listing(call, "staticroute", rows, lambda route: _route_row(call, route))


@command("createStaticRoute", seconds=0.5)
def create_static_route(call: Call) -> Task:
    """Route a range outside a private cloud to a next hop; there are no private gateways here."""
    if not (call.given("vpcid") and call.given("nexthop")):
        raise invalid("vpcid and nexthop are required")
    vpc, world = call.find(Vpc, "vpcid"), call.world
    try:
        cidr, hop = ipaddress.IPv4Network(call.text("cidr")), ipaddress.IPv4Address(call.text("nexthop"))
    except ValueError:
        raise invalid("Invalid cidr or nexthop") from None
    if cidr.overlaps(ipaddress.IPv4Network(vpc.cidr)):
        raise invalid(f"The cidr {cidr} must be outside the private cloud's {vpc.cidr}")
    if any(route.vpc is vpc and cidr.overlaps(ipaddress.IPv4Network(route.cidr)) for route in world.all(StaticRoute)):
        raise invalid(f"The cidr {cidr} conflicts with another route")
    route = world.add(
        StaticRoute(id=world.new_id("route"), owner=vpc.owner, created=world.now(), vpc=vpc,
                    cidr=str(cidr), next_hop=str(hop))
    )  # fmt: skip

    def body() -> Body:
        yield 1.0
        return {"staticroute": _route_row(call, route)}

    return Task(body=body(), on=route, event="STATIC.ROUTE.CREATE")


@command("deleteStaticRoute", seconds=0.5)
def delete_static_route(call: Call) -> Task:
    """Delete a route."""
    route = call.find(StaticRoute, "id")

    def body() -> Body:
        yield 1.0
        call.world.remove(route)
        return {"success": True}

    return Task(body=body(), on=route, event="STATIC.ROUTE.DELETE")
