"""Firewall rules on public addresses, and egress rules of isolated networks."""

from __future__ import annotations

import ipaddress

from gcelib.simulator.call import Call, job_fields, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, invalid, rule_conflict
from gcelib.simulator.listing import listing
from gcelib.simulator.places import FirewallRule, Network, PublicAddress
from gcelib.simulator.records import Row

EVERYWHERE = "0.0.0.0/0"


def cidrs(call: Call, name: str, default: str = EVERYWHERE) -> tuple[str, ...]:
    """A list of CIDRs. Raises ApiError 431."""
    found = tuple(call.items(name)) or ((default,) if default else ())
    for cidr in found:
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            raise invalid(f"Source cidrs formatting error {cidr}") from None
    return found


def row(call: Call, rule: FirewallRule) -> Row:
    """A rule; the CIDRs are one text, ports are numbers."""
    shown: Row = {
        "id": rule.id,
        "protocol": rule.protocol,
        "cidrlist": ",".join(rule.cidrs),
        "state": rule.state,
        "fordisplay": True,
        "tags": tag_rows(call.world, rule),
        **job_fields(rule),
    }
    numbers = {"startport": rule.first, "endport": rule.last, "icmptype": rule.icmp_type, "icmpcode": rule.icmp_code}
    shown |= {name: number for name, number in numbers.items() if number is not None}
    if rule.network is not None:
        shown["networkid"] = rule.network.id
    if rule.address is not None:
        shown |= {"ipaddressid": rule.address.id, "ipaddress": rule.address.address}
    else:
        shown["destcidrlist"] = ",".join(rule.to_cidrs)
    return shown


def _new(call: Call, network: Network | None, address: PublicAddress | None, default: str) -> FirewallRule:
    protocol = call.text("protocol").lower()
    first, last = call.number("startport"), call.number("endport")
    icmp_type, icmp_code = call.number("icmptype"), call.number("icmpcode")
    if protocol in ("tcp", "udp"):
        last = first if last is None else last
        if first is not None and last is not None and not 1 <= first <= last <= 65535:
            raise invalid(f"Invalid port range {first}-{last}")
        if icmp_type is not None or icmp_code is not None:
            raise invalid("icmptype and icmpcode can be given only for icmp")
    elif protocol == "icmp":
        if first is not None or last is not None:
            raise invalid("Can't specify start/end port when protocol is ICMP")
        icmp_type, icmp_code = -1 if icmp_type is None else icmp_type, -1 if icmp_code is None else icmp_code
    elif protocol != "all" or first is not None or address is not None:
        # The router's SupportedProtocols for what comes in are tcp, udp and icmp; `all` is for what leaves.
        raise invalid(f"Protocol {protocol} is not supported in zone, or has no ports")
    owner = address.owner if address is not None else network.owner if network is not None else call.account
    return FirewallRule(
        id=call.world.new_id("firewallrule"), owner=owner, created=call.world.now(), network=network,
        address=address, protocol=protocol, cidrs=cidrs(call, "cidrlist", default), state="Add", first=first,
        last=last, icmp_type=icmp_type, icmp_code=icmp_code,
        to_cidrs=() if address is not None else cidrs(call, "destcidrlist"),
    )  # fmt: skip


def _overlap(one: FirewallRule, other: FirewallRule) -> bool:
    if one.protocol != other.protocol or one.to_cidrs != other.to_cidrs:
        return False
    if (one.icmp_type, one.icmp_code) != (other.icmp_type, other.icmp_code):
        return False
    low, high = max(one.first or 0, other.first or 0), min(one.last or 65535, other.last or 65535)
    return low <= high and bool(set(one.cidrs) & set(other.cidrs))


def _create(call: Call, rule: FirewallRule) -> Task:
    for held in call.world.all(FirewallRule):
        if held.address is rule.address and held.network is rule.network and _overlap(held, rule):
            raise rule_conflict(f"The new rule conflicts with existing rule {held.id}")
    call.world.add(rule)

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            call.world.remove(rule)
            raise
        rule.state = "Active"
        return {"firewallrule": row(call, rule)}

    return Task(body=body(), on=rule, event="FIREWALL.OPEN")


def _delete(call: Call) -> Task:
    rule = call.find(FirewallRule, "id")

    def body() -> Body:
        rule.state = "Deleting"
        try:
            yield 1.0
        except ApiError:
            rule.state = "Active"
            raise
        call.world.remove(rule)
        return {"success": True}

    return Task(body=body(), on=rule, event="FIREWALL.CLOSE")


@command("listFirewallRules")
def list_firewall_rules(call: Call) -> Row:
    """The rules on the caller's addresses."""
    rows = [rule for rule in call.selected(call.visible(FirewallRule)) if rule.address is not None]
    if call.given("ipaddressid"):
        rows = [rule for rule in rows if rule.address is not None and rule.address.id == call.text("ipaddressid")]
    if call.given("networkid"):
        rows = [rule for rule in rows if rule.network is not None and rule.network.id == call.text("networkid")]
    return listing(call, "firewallrule", rows, lambda rule: row(call, rule))


@command("createFirewallRule")
def create_firewall_rule(call: Call) -> Task:
    """Open ports of a public address."""
    address = call.find(PublicAddress, "ipaddressid")
    if address.vpc_id:
        raise invalid("Firewall rules can't be made on addresses of private clouds: use network ACLs")
    return _create(call, _new(call, address.network, address, EVERYWHERE))


@command("deleteFirewallRule")
def delete_firewall_rule(call: Call) -> Task:
    """Close ports of a public address."""
    return _delete(call)


@command("listEgressFirewallRules")
def list_egress_rules(call: Call) -> Row:
    """The egress rules of the caller's networks."""
    rows = [rule for rule in call.selected(call.visible(FirewallRule)) if rule.address is None]
    if call.given("networkid"):
        rows = [rule for rule in rows if rule.network is not None and rule.network.id == call.text("networkid")]
    return listing(call, "firewallrule", rows, lambda rule: row(call, rule))


@command("createEgressFirewallRule")
def create_egress_rule(call: Call) -> Task:
    """An exception from a network's egress policy."""
    network = call.find(Network, "networkid")
    if network.kind != "Isolated" or network.vpc_id or network.pool is None:
        raise invalid("Egress rules can be made only for isolated networks")
    return _create(call, _new(call, network, None, str(network.pool.network)))


@command("deleteEgressFirewallRule")
def delete_egress_rule(call: Call) -> Task:
    """Take an exception from a network's egress policy back."""
    return _delete(call)
