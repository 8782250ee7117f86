"""Guest networks and what they can be made from."""

from __future__ import annotations

import ipaddress

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import failed, forbidden, invalid
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.places import (
    AclList,
    AddressPool,
    FirewallRule,
    Network,
    NetworkOffering,
    PublicAddress,
    Vpc,
    Zone,
)
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Owner, Row
from gcelib.simulator.release import release_address

DEFAULT_CIDR = "10.1.1.0/24"


def network_row(call: Call, network: Network) -> Row:
    """A network as listNetworks shows it."""
    row = {**_plain(call, network), **_offered(network)}
    if network.pool is not None:
        cidr = str(network.pool.network)
        row |= {"cidr": cidr, "networkcidr": cidr, "gateway": network.gateway}
        row["netmask"] = str(network.pool.network.netmask)
    if network.kind == "Isolated":
        row["egressdefaultpolicy"] = network.offering.egress_allowed
    if network.vpc_id:
        vpc = call.world.find(Vpc, network.vpc_id)
        row |= {"vpcid": network.vpc_id, "vpcname": vpc.name if vpc else ""}
        row |= {"aclid": network.acl_id} if network.acl_id else {}
    return row


def _offered(network: Network) -> Row:
    offering = network.offering
    return {
        "networkofferingid": offering.id,
        "networkofferingname": offering.name,
        "networkofferingdisplaytext": offering.displaytext,
        "networkofferingconservemode": True,
        "networkofferingavailability": "Required" if offering.required else "Optional",
        "service": [{"name": name, "capability": [], "provider": [{"name": "VirtualRouter"}]}
                    for name in offering.services],
    }  # fmt: skip


def _plain(call: Call, network: Network) -> Row:
    return {
        "id": network.id,
        "name": network.name,
        "displaytext": network.displaytext,
        "traffictype": "Guest",
        "type": network.kind,
        "state": network.state,
        "zoneid": network.zone.id,
        "zonename": network.zone.name,
        "issystem": False,
        "related": network.id,
        "dns1": "9.9.9.9",
        "acltype": "Domain" if network.shared else "Account",
        **({"domainid": call.world.domain_id, "domain": "ROOT"} if network.shared
           else ownership(call.world, network.owner)),
        "isdefault": True,
        "canusefordeploy": True,
        "networkdomain": network.domain,
        "restartrequired": False,
        "specifyipranges": network.shared,
        "ispersistent": False,
        "displaynetwork": True,
        "strechedl2subnet": False,
        "redundantrouter": False,
        "tags": tag_rows(call.world, network),
        **job_fields(network),
    }  # fmt: skip


@command("listNetworks")
def list_networks(call: Call) -> Row:
    """The caller's networks and the shared ones."""
    shared = [network for network in call.world.all(Network) if network.shared]
    mine = [network for network in call.visible(Network) if not network.shared]
    rows = call.selected(shared + mine, type="kind", vpcid="vpc_id", name="name")
    if call.given("issystem") and call.flag("issystem"):
        rows = []
    if call.given("networkofferingid"):
        rows = [network for network in rows if network.offering.id == call.text("networkofferingid")]
    if call.given("forvpc"):
        rows = [network for network in rows if bool(network.vpc_id) == call.flag("forvpc")]
    return listing(call, "network", rows, lambda network: network_row(call, network))


@command("listNetworkOfferings")
def list_network_offerings(call: Call) -> Row:
    """What networks can be made from; users see those that they can use."""
    call.params.pop("zoneid", None)
    rows = call.selected(call.world.all(NetworkOffering), name="name", guestiptype="kind", displaytext="displaytext")
    if call.given("forvpc"):
        rows = [offering for offering in rows if offering.vpc == call.flag("forvpc")]
    if call.given("availability"):
        wanted = call.text("availability").lower() == "required"
        rows = [offering for offering in rows if offering.required == wanted]
    if call.given("sourcenatsupported"):
        rows = [offering for offering in rows if offering.source_nat == call.flag("sourcenatsupported")]
    return listing(call, "networkoffering", rows, _offering_row)


def _offering_row(offering: NetworkOffering) -> Row:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.displaytext,
        "traffictype": "Guest",
        "isdefault": True,
        "specifyvlan": offering.kind == "Shared",
        "conservemode": True,
        "specifyipranges": offering.kind == "Shared",
        "availability": "Required" if offering.required else "Optional",
        "guestiptype": offering.kind,
        "forvpc": offering.vpc,
        "state": "Enabled",
        "ispersistent": False,
        "egressdefaultpolicy": offering.egress_allowed,
        "service": [{"name": name} for name in offering.services],
    }


def new_isolated(
    call: Call, zone: Zone, owner: Owner, offering: NetworkOffering, name: str, displaytext: str,
    cidr: str = DEFAULT_CIDR, gateway: str = "",
) -> Network:  # fmt: skip
    """Enter a network of an account's own. Raises ApiError 535 above the owner's limit."""
    demand(call.world, owner, "network")
    world = call.world
    pool = None if offering.kind == "L2" else AddressPool(cidr)
    network_id = world.new_id("network")
    return world.add(
        Network(
            id=network_id, owner=owner, created=world.now(), name=name, displaytext=displaytext,
            kind=offering.kind, zone=zone, offering=offering, pool=pool, vpc_id=call.text("vpcid"),
            gateway=gateway or (str(pool.network.network_address + 1) if pool else ""), acl_id=call.text("aclid"),
            domain=call.text("networkdomain") or f"cs{network_id[:6]}.cloud.internal",
        )
    )  # fmt: skip


@command("createNetwork")
def create_network(call: Call) -> Row:
    """Make an isolated or L2 network, or a tier of a private cloud."""
    zone, offering, owner = call.shared(Zone, "zoneid"), call.shared(NetworkOffering, "networkofferingid"), call.owner()
    if not zone.isolated or offering.kind == "Shared":
        raise invalid(f"Users can't create networks of this type in zone {zone.name}")
    if offering.vpc != call.given("vpcid"):
        raise invalid("A vpcid goes with an offering for private clouds, and only with one")
    name = call.text("name")
    if not call.world.settings.duplicate_network_names and any(
        network.name == name for network in call.world.owned(Network, owner)
    ):
        raise invalid(f"A network named {name} exists already")
    cidr = _cidr(call)
    if call.given("vpcid"):
        cidr = _tier_cidr(call, cidr)
    text = call.text("displaytext", name)
    network = new_isolated(call, zone, owner, offering, name, text, cidr or DEFAULT_CIDR, call.text("gateway"))
    if network.vpc_id:
        network.state = "Implemented"
    return {"network": network_row(call, network)}


def _cidr(call: Call) -> str:
    if not call.given("gateway"):
        return ""
    if not call.given("netmask"):
        raise invalid("gateway and netmask must be given together")
    try:
        ipaddress.IPv4Address(call.text("gateway"))
        cidr = ipaddress.ip_network(f"{call.text('gateway')}/{call.text('netmask')}", strict=False)
    except ValueError:
        raise invalid("Invalid gateway or netmask") from None
    if not call.account.admin and cidr.prefixlen < call.world.settings.widest_prefix:
        raise invalid(f"Cidr size can't be less than {call.world.settings.widest_prefix}")
    return str(cidr)


def _tier_cidr(call: Call, cidr: str) -> str:
    vpc = call.find(Vpc, "vpcid")
    if not cidr:
        raise invalid("A tier needs gateway and netmask")
    mine, whole = ipaddress.ip_network(cidr), ipaddress.ip_network(vpc.cidr)
    if not (mine.network_address in whole and mine.broadcast_address in whole):
        raise invalid(f"Network {cidr} is not within the private cloud's {vpc.cidr}")
    for tier in call.world.all(Network):
        if tier.vpc_id == vpc.id and tier.pool is not None and tier.pool.network.overlaps(mine):
            raise invalid(f"Network {cidr} overlaps with tier {tier.name}")
    if call.given("aclid") and call.shared(AclList, "aclid").vpc not in (vpc, None):
        raise invalid(f"ACL: {call.text('aclid')} do not belong to the VPC")
    return cidr


@command("updateNetwork", seconds=1)
def update_network(call: Call) -> Task:
    """Change what a network says of itself."""
    network = _own(call)

    def body() -> Body:
        yield 1.0
        network.name = call.text("name", network.name)
        network.displaytext = call.text("displaytext", network.displaytext)
        network.domain = call.text("networkdomain", network.domain)
        return {"network": network_row(call, network)}

    return Task(body=body(), on=network, event="NETWORK.UPDATE")


def _own(call: Call) -> Network:
    network = call.find(Network, "id")
    if network.shared and not call.account.admin:
        raise forbidden("Users can't change shared networks")
    return network


@command("deleteNetwork", seconds=2)
def delete_network(call: Call) -> Task:
    """Delete a network with its addresses and rules; a machine in it, even a destroyed one, fails the job."""
    network = _own(call)
    world = call.world

    def body() -> Body:
        if any(nic.network is network for machine in world.all(Machine) for nic in machine.nics):
            raise failed("Failed to delete network: there are virtual machines in it")
        before, network.state = network.state, "Shutdown"
        yield 1.0
        if any(nic.network is network for machine in world.all(Machine) for nic in machine.nics):
            network.state = before
            raise failed("Failed to delete network: there are virtual machines in it")
        for address in world.all(PublicAddress):
            if address.network is network:
                release_address(world, address)
        for rule in world.all(FirewallRule):
            if rule.network is network:
                world.remove(rule)
        world.remove(network)
        return {"success": True}

    return Task(body=body(), on=network, event="NETWORK.DELETE")
