"""Public addresses and static NAT."""

from __future__ import annotations

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, failed, invalid, no_capacity, rule_conflict
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.places import Balancer, FirewallRule, Forwarding, Network, PublicAddress, Vpc, Zone
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Owner, Row
from gcelib.simulator.release import release_address
from gcelib.simulator.world import World


def take_address(
    world: World, owner: Owner, zone: Zone, network: Network | None, wanted: str = ""
) -> PublicAddress:
    """A free public address of the zone, `wanted` or any. Raises ApiError 533 when it is not to be had."""
    found = zone.public.take(wanted) if zone.public is not None else None
    if found is None:
        raise no_capacity(f"Insufficient address capacity in zone {zone.name}")
    return world.add(
        PublicAddress(id=world.new_id("address"), owner=owner, created=world.now(), address=found,
                      zone=zone, network=network)
    )  # fmt: skip


def _source_nat(world: World, network: Network) -> PublicAddress | None:
    for address in world.all(PublicAddress):
        if address.network is network and address.source_nat:
            return address
    return None


def implement(world: World, network: Network) -> None:
    """Begin to bring a network up at its first machine: with a router, and so a source NAT address.

    Raises ApiError 533 when no address is left for it.
    """
    if network.state in ("Implementing", "Implemented"):
        return
    if network.kind == "Isolated" and not network.vpc_id and _source_nat(world, network) is None:
        take_address(world, network.owner, network.zone, network).source_nat = True
    network.state = "Implementing"


def implemented(machine: Machine) -> None:
    """The networks of a machine that has started, or failed to, are up."""
    for nic in machine.nics:
        if nic.network.state == "Implementing":
            nic.network.state = "Implemented"


def address_row(call: Call, address: PublicAddress) -> Row:
    """An address as listPublicIpAddresses shows it."""
    world, network = call.world, address.network
    row: Row = {
        "id": address.id,
        "ipaddress": address.address,
        "allocated": date_text(address.created),
        "zoneid": address.zone.id,
        "zonename": address.zone.name,
        "issourcenat": address.source_nat,
        "isstaticnat": address.static_nat,
        "issystem": False,
        "forvirtualnetwork": True,
        **ownership(world, address.owner),
        "state": address.state,
        "networkid": address.zone.id,
        "physicalnetworkid": address.zone.id,
        "isportable": False,
        "fordisplay": True,
        "hasrules": bool(rules_on(world, address)),
        "tags": tag_rows(world, address),
        **job_fields(address),
    }
    if network is not None:
        row |= {"associatednetworkid": network.id, "associatednetworkname": network.name}
    if address.vpc_id:
        row["vpcid"] = address.vpc_id
    machine = world.find(Machine, address.machine_id) if address.machine_id else None
    if machine is not None:
        row |= {"virtualmachineid": machine.id, "virtualmachinename": machine.name}
        row |= {"virtualmachinedisplayname": machine.displayname, "vmipaddress": address.guest_address}
    return row


def rules_on(world: World, address: PublicAddress) -> list[FirewallRule | Forwarding | Balancer]:
    """Every rule of whatever kind on an address."""
    found: list[FirewallRule | Forwarding | Balancer] = []
    found += [rule for rule in world.all(FirewallRule) if rule.address is address]
    found += [rule for rule in world.all(Forwarding) if rule.address is address]
    found += [rule for rule in world.all(Balancer) if rule.address is address]
    return found


@command("listPublicIpAddresses")
def list_addresses(call: Call) -> Row:
    """The caller's public addresses."""
    rows = call.selected(call.visible(PublicAddress), ipaddress="address", state="state", vpcid="vpc_id")
    if call.given("associatednetworkid"):
        wanted = call.text("associatednetworkid")
        rows = [address for address in rows if address.network is not None and address.network.id == wanted]
    for parameter, attribute in (("issourcenat", "source_nat"), ("isstaticnat", "static_nat")):
        if call.given(parameter):
            rows = [address for address in rows if getattr(address, attribute) == call.flag(parameter)]
    return listing(call, "publicipaddress", rows, lambda address: address_row(call, address))


@command("associateIpAddress", seconds=1)
def associate(call: Call) -> Task:
    """Take a public address for a network, a private cloud, or a zone."""
    world = call.world
    network = call.find(Network, "networkid") if call.given("networkid") else None
    vpc = call.find(Vpc, "vpcid") if call.given("vpcid") else None
    if network is not None:
        zone, owner = network.zone, network.owner
    elif vpc is not None:
        zone, owner = vpc.zone, vpc.owner
    elif call.given("zoneid"):
        zone, owner = call.shared(Zone, "zoneid"), call.owner()
    else:
        raise invalid("One of networkid, vpcid and zoneid is required")
    if zone.public is None or (network is not None and network.kind != "Isolated"):
        raise invalid(f"Public addresses can't be acquired in zone {zone.name} for this network")
    if network is None and vpc is None:
        network = _only_network(call, zone, owner)
    demand(world, owner, "public_ip")
    # IpAddressManagerImpl: allocateIp knows no network yet; associateIPToGuestNetwork, in the job, enters it.
    address = take_address(world, owner, zone, None, call.text("ipaddress"))
    address.state = "Allocating"
    address.vpc_id = vpc.id if vpc is not None else (network.vpc_id if network is not None else "")

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            release_address(world, address)
            raise
        if network is not None and not network.vpc_id and _source_nat(world, network) is None:
            address.source_nat = True
        address.state, address.network = "Allocated", network
        return {"ipaddress": address_row(call, address)}

    return Task(body=body(), on=address, event="NET.IPASSIGN")


def _only_network(call: Call, zone: Zone, owner: Owner) -> Network:
    networks = [network for network in call.world.owned(Network, owner)
                if network.zone is zone and network.kind == "Isolated" and not network.vpc_id]  # fmt: skip
    if len(networks) != 1:
        raise invalid(f"{len(networks)} isolated networks are found in zone {zone.name}; please give the networkid")
    return networks[0]


@command("disassociateIpAddress", seconds=1)
def disassociate(call: Call) -> Task:
    """Give an address back, with all its rules; a source NAT one stays with its network."""
    address = call.find(PublicAddress, "id")
    if address.source_nat:
        raise invalid(f"Ip address {address.address} is a source NAT address and can't be released")

    def body() -> Body:
        before, address.state = address.state, "Releasing"
        try:
            yield 1.0
        except ApiError:
            address.state = before
            raise
        release_address(call.world, address)
        return {"success": True}

    return Task(body=body(), on=address, event="NET.IPRELEASE")


@command("enableStaticNat")
def enable_static_nat(call: Call) -> Row:
    """Let an address stand for one machine; it opens no port."""
    world = call.world
    address, machine = call.find(PublicAddress, "ipaddressid"), call.find(Machine, "virtualmachineid")
    if machine.state in ("Destroyed", "Expunging"):
        raise invalid(f"Virtual machine {machine.id} is {machine.state}")
    nics = [nic for nic in machine.nics if nic.network.id == call.text("networkid", nic.network.id)]
    if address.network is not None:
        nics = [nic for nic in nics if nic.network is address.network]
    elif address.vpc_id:
        nics = [nic for nic in nics if nic.network.vpc_id == address.vpc_id]
    if not nics:
        raise invalid(f"Vm {machine.id} has no nic in the network of address {address.address}")
    if address.source_nat:
        raise invalid("Can't enable static NAT on a source NAT address")
    if any(not isinstance(rule, FirewallRule) for rule in rules_on(world, address)):
        raise rule_conflict(f"Address {address.address} has port forwarding or load balancer rules")
    if address.static_nat and address.machine_id != machine.id:
        raise invalid(f"Address {address.address} stands for another vm already")
    guest = call.text("vmguestip", nics[0].address)
    if any(other is not address and (other.machine_id, other.guest_address) == (machine.id, guest)
           for other in world.all(PublicAddress)):  # fmt: skip
        raise invalid(f"Address {guest} of vm {machine.id} has another static NAT address already")
    if nics[0].network.state == "Implementing":
        # BasicNetworkTopology.applyRules: a router that is starting takes no rules, unlike one that is stopped.
        raise failed("Failed to enable static nat")
    address.network = nics[0].network
    address.machine_id, address.guest_address = machine.id, guest
    return {"success": True}


@command("disableStaticNat", seconds=0.5)
def disable_static_nat(call: Call) -> Task:
    """Let an address stand for nothing; its firewall rules go."""
    address = call.find(PublicAddress, "ipaddressid")
    if not address.static_nat:
        raise invalid(f"Address {address.address} has no static NAT")

    def body() -> Body:
        yield 1.0
        for rule in rules_on(call.world, address):
            call.world.remove(rule)
        address.machine_id = address.guest_address = ""
        return {"success": True}

    return Task(body=body(), on=address, event="NET.IPDISABLESTATICNAT")
