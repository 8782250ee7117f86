"""Port forwarding, and IP forwarding of static NAT addresses."""

from __future__ import annotations

from gcelib.simulator.call import Call, job_fields, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, invalid, rule_conflict
from gcelib.simulator.firewalls import cidrs
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.places import Balancer, FirewallRule, Forwarding, PublicAddress
from gcelib.simulator.records import Row
from gcelib.simulator.world import World


def _row(call: Call, rule: Forwarding) -> Row:
    machine = call.world.find(Machine, rule.machine_id)
    shown: Row = {
        "id": rule.id,
        "protocol": rule.protocol,
        "ipaddressid": rule.address.id,
        "ipaddress": rule.address.address,
        "virtualmachineid": rule.machine_id,
        "state": rule.state,
        "fordisplay": True,
        "tags": tag_rows(call.world, rule),
        **job_fields(rule),
    }
    if machine is not None:
        shown |= {"virtualmachinename": machine.name, "virtualmachinedisplayname": machine.displayname}
    if rule.whole:
        return shown | {"startport": rule.public[0], "endport": rule.public[1]}
    return shown | {
        "privateport": str(rule.private[0]),
        "privateendport": str(rule.private[1]),
        "publicport": str(rule.public[0]),
        "publicendport": str(rule.public[1]),
        "vmguestip": rule.guest_address,
        "networkid": rule.address.network.id if rule.address.network else "",
        "cidrlist": ",".join(rule.cidrs),
    }


def _list(call: Call, key: str, whole: bool) -> Row:
    rows = [rule for rule in call.selected(call.visible(Forwarding)) if rule.whole == whole]
    if call.given("ipaddressid"):
        rows = [rule for rule in rows if rule.address.id == call.text("ipaddressid")]
    if call.given("networkid"):
        wanted = call.text("networkid")
        rows = [rule for rule in rows if rule.address.network is not None and rule.address.network.id == wanted]
    if call.given("virtualmachineid"):
        rows = [rule for rule in rows if rule.machine_id == call.text("virtualmachineid")]
    return listing(call, key, rows, lambda rule: _row(call, rule))


def check_public_ports(world: World, address: PublicAddress, protocol: str, first: int, last: int) -> None:
    """Make sure that no forwarding or balancer has these ports already. Raises ApiError 537."""
    for rule in world.all(Forwarding):
        same = rule.address is address and rule.protocol == protocol
        if same and first <= rule.public[1] and rule.public[0] <= last:
            raise rule_conflict(f"The range specified, {first}-{last}, conflicts with rule {rule.id}")
    for balancer in world.all(Balancer):
        same = balancer.address is address and (balancer.protocol == "udp") == (protocol == "udp")
        if same and first <= balancer.public_port <= last:
            raise rule_conflict(f"The range specified, {first}-{last}, conflicts with rule {balancer.id}")


def open_ports(call: Call, address: PublicAddress, protocol: str, first: int, last: int) -> None:
    """The firewall rule that goes with a forwarding or a balancer unless openfirewall is false."""
    if address.vpc_id or not call.flag("openfirewall", default=True):
        return
    world = call.world
    world.add(
        FirewallRule(
            id=world.new_id("firewallrule"), owner=address.owner, created=world.now(), network=address.network,
            address=address, protocol="udp" if protocol == "udp" else "tcp", cidrs=cidrs(call, "cidrlist"),
            first=first, last=last,
        )
    )  # fmt: skip


def _ports(call: Call, first: str, last: str) -> tuple[int, int]:
    low = call.number(first) or 0
    high = call.number(last)
    high = low if high is None else high
    if not 1 <= low <= high <= 65535:
        raise invalid(f"Invalid port range {low}-{high}")
    return low, high


def _task(call: Call, rule: Forwarding, key: str) -> Task:
    call.world.add(rule)

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            call.world.remove(rule)
            raise
        rule.state = "Active"
        return {key: _row(call, rule)}

    return Task(body=body(), on=rule, event="NET.RULEADD")


def _delete(call: Call) -> Task:
    rule = call.find(Forwarding, "id")

    def body() -> Body:
        rule.state = "Deleting"
        yield 1.0
        call.world.remove(rule)
        return {"success": True}

    return Task(body=body(), on=rule, event="NET.RULEDELETE")


@command("listPortForwardingRules")
def list_port_rules(call: Call) -> Row:
    """The caller's port forwarding rules."""
    return _list(call, "portforwardingrule", whole=False)


@command("createPortForwardingRule")
def create_port_rule(call: Call) -> Task:
    """Forward ports of an address to a machine."""
    world, address = call.world, call.find(PublicAddress, "ipaddressid")
    machine, protocol = call.find(Machine, "virtualmachineid"), call.text("protocol").lower()
    if protocol not in ("tcp", "udp"):
        raise invalid(f"Invalid protocol {protocol}")
    if address.static_nat:
        raise invalid(f"Address {address.address} is a static NAT one")
    public, private = _ports(call, "publicport", "publicendport"), _ports(call, "privateport", "privateendport")
    if public[1] - public[0] != private[1] - private[0]:
        raise invalid("Source port and destination port ranges should be of equal sizes")
    nics = [nic for nic in machine.nics if address.network is None or nic.network is address.network]
    if not nics:
        raise invalid(f"Vm {machine.id} has no nic in the network of address {address.address}")
    check_public_ports(world, address, protocol, *public)
    open_ports(call, address, protocol, *public)
    rule = Forwarding(
        id=world.new_id("portrule"), owner=address.owner, created=world.now(), address=address,
        machine_id=machine.id, guest_address=call.text("vmguestip", nics[0].address), protocol=protocol,
        public=public, private=private, cidrs=tuple(call.items("cidrlist")), state="Add",
    )  # fmt: skip
    return _task(call, rule, "portforwardingrule")


@command("deletePortForwardingRule")
def delete_port_rule(call: Call) -> Task:
    """Delete a port forwarding rule."""
    return _delete(call)


@command("listIpForwardingRules")
def list_ip_rules(call: Call) -> Row:
    """The caller's rules on static NAT addresses."""
    return _list(call, "ipforwardingrule", whole=True)


@command("createIpForwardingRule")
def create_ip_rule(call: Call) -> Task:
    """Let ports of a static NAT address through to its machine."""
    world, address = call.world, call.find(PublicAddress, "ipaddressid")
    if not address.static_nat:
        raise invalid(f"Address {address.address} has no static NAT")
    ports, protocol = _ports(call, "startport", "endport"), call.text("protocol").lower()
    check_public_ports(world, address, protocol, *ports)
    open_ports(call, address, protocol, *ports)
    rule = Forwarding(
        id=world.new_id("portrule"), owner=address.owner, created=world.now(), address=address,
        machine_id=address.machine_id, guest_address=address.guest_address, protocol=protocol,
        public=ports, private=ports, whole=True, state="Add",
    )  # fmt: skip
    return _task(call, rule, "ipforwardingrule")


@command("deleteIpForwardingRule")
def delete_ip_rule(call: Call) -> Task:
    """Delete a rule on a static NAT address."""
    return _delete(call)
