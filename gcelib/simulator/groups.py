"""Security groups and their rules."""

from __future__ import annotations

import ipaddress

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import at_door, failed, forbidden, in_use, invalid, unknown_id
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.places import Network, Zone
from gcelib.simulator.records import Group, Owner, Row, Rule
from gcelib.simulator.world import World


def default_group(world: World, owner: Owner) -> Group:
    """The group that every account has from the beginning, and a project once it needs it."""
    for group in world.owned(Group, owner):
        if group.name == "default":
            return group
    return world.add(
        Group(id=world.new_id("group"), owner=owner, created=world.now(), name="default",
              description="Default Security Group")
    )  # fmt: skip


def named_groups(call: Call, owner: Owner) -> list[Group]:
    """The groups that securitygroupids or -names gives, of the owner's own. Raises ApiError 431 or 531."""
    ids, names = call.items("securitygroupids"), call.items("securitygroupnames")
    if ids and names:
        raise invalid("securitygroupids and securitygroupnames are mutually exclusive")
    found = [call.get(Group, group_id, "securitygroupids") for group_id in ids]
    if any(group.owner is not owner for group in found):
        raise forbidden(f"{owner.name} may not use another owner's security groups")
    mine = {group.name: group for group in call.world.owned(Group, owner)}
    for name in names:
        if name not in mine:
            raise invalid(f"Unable to find group by name {name}")
        found.append(mine[name])
    return list(dict.fromkeys(found))


def chosen_groups(call: Call, zone: Zone, owner: Owner, networks: list[Network]) -> list[Group]:
    """The groups of a new machine; the default one when none is named. Raises ApiError 431."""
    named = named_groups(call, owner)
    if not zone.security_groups or not any(network.security_groups for network in networks):
        if named:
            raise invalid(f"Unable to create a vm with security groups: zone {zone.name} or its network has none")
        return []
    return named or [default_group(call.world, owner)]


def rule_row(world: World, rule: Rule) -> Row:
    """A rule as its group shows it."""
    row: Row = {"ruleid": rule.id, "protocol": rule.protocol, "tags": tag_rows(world, rule)}
    if rule.protocol == "icmp":
        row |= {"icmptype": rule.first, "icmpcode": rule.last}
    elif rule.protocol in ("tcp", "udp", "all"):
        row |= {"startport": rule.first, "endport": rule.last}
    if rule.cidr:
        return row | {"cidr": rule.cidr}
    return row | {"securitygroupname": rule.source_group, "account": rule.source_account}


def _group_row(call: Call, group: Group, members: dict[str, list[str]] | None = None) -> Row:
    ids = (_members(call) if members is None else members).get(group.id, [])
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        **ownership(call.world, group.owner),
        "ingressrule": [rule_row(call.world, rule) for rule in group.ingress],
        "egressrule": [rule_row(call.world, rule) for rule in group.egress],
        "tags": tag_rows(call.world, group),
        "virtualmachinecount": len(ids),
        "virtualmachineids": list(ids),
        **job_fields(group),
    }


def _members(call: Call) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for machine in call.world.all(Machine):
        for group in machine.groups:
            found.setdefault(group.id, []).append(machine.id)
    return found


@command("listSecurityGroups")
def list_groups(call: Call) -> Row:
    """The caller's groups, with their rules and members."""
    for owner in call.seen_owners():
        default_group(call.world, owner)
    rows = call.selected(call.visible(Group), securitygroupname="name")
    if call.given("virtualmachineid"):
        machine = call.find(Machine, "virtualmachineid")
        rows = [group for group in rows if group in machine.groups]
    members = _members(call)
    return listing(call, "securitygroup", rows, lambda group: _group_row(call, group, members))


@command("createSecurityGroup")
def create_group(call: Call) -> Row:
    """Make a group without rules."""
    owner, name = call.owner(), call.text("name")
    default_group(call.world, owner)
    _check_name(call, owner, name)
    group = Group(id=call.world.new_id("group"), owner=owner, created=call.world.now(), name=name,
                  description=call.text("description"))  # fmt: skip
    return {"securitygroup": _group_row(call, call.world.add(group), {})}


def _check_name(call: Call, owner: Owner, name: str) -> None:
    if any(group.name == name for group in call.world.owned(Group, owner)):
        raise invalid(f"Unable to create security group, a group with name {name} already exists.")


@command("updateSecurityGroup")
def update_group(call: Call) -> Row:
    """Rename a group other than default."""
    group, name = call.find(Group, "id"), call.text("name")
    if "default" in (group.name, name):
        raise invalid("The default security group can't be renamed, nor another take its name")
    if name and name != group.name:
        _check_name(call, group.owner, name)
        group.name = name
    return {"securitygroup": _group_row(call, group)}


def _one_group(call: Call, id_parameter: str, name_parameter: str) -> Group:
    """A group by id or by name. Raises ApiError 431."""
    if call.given(id_parameter) == call.given(name_parameter):
        raise invalid(f"Either {id_parameter} or {name_parameter} is required, and not both")
    if call.given(id_parameter):
        return call.find(Group, id_parameter)
    owner = call.owner()
    default_group(call.world, owner)
    for group in call.world.owned(Group, owner):
        if group.name == call.text(name_parameter):
            return call.get(Group, group.id)
    raise at_door(invalid(f"Unable to find security group {call.text(name_parameter)} of {owner.name}"))


@command("deleteSecurityGroup")
def delete_group(call: Call) -> Row:
    """Delete a group that no machine (destroyed ones count) and no other group's rule uses."""
    group = _one_group(call, "id", "name")
    if group.name == "default":
        raise invalid("The network group default is reserved")
    if any(group in machine.groups for machine in call.world.all(Machine)):
        raise in_use("Cannot delete group when it's in use by virtual machines")
    for other in call.world.all(Group):
        if other is not group and any(
            rule.source_group == group.name and rule.source_account == group.owner.name
            for rule in other.ingress + other.egress
        ):
            raise in_use(f"Cannot delete group when there are rules that refer to it: {other.name}")
    for rule in group.ingress + group.egress:
        call.world.remove(rule)
    call.world.remove(group)
    return {"success": True}


def _protocol_and_range(call: Call) -> tuple[str, int, int]:
    protocol = call.text("protocol", "all").lower()
    first, last = call.number("startport"), call.number("endport")
    if protocol in ("tcp", "udp"):
        if first is None or last is None or not 0 <= first <= 65535 or not 0 <= last <= 65535:
            raise invalid("startport and endport between 0 and 65535 are required for tcp and udp")
        if first > last:
            raise invalid(f"startport {first} is greater than endport {last}")
        return (protocol, 0, 65535) if (first, last) == (0, 0) else (protocol, first, last)
    if protocol == "icmp":
        kind, code = call.number("icmptype"), call.number("icmpcode")
        if kind is None or code is None or not -1 <= kind <= 255 or not -1 <= code <= 255:
            raise invalid("icmptype and icmpcode between -1 and 255 are required for icmp")
        return protocol, kind, code
    if protocol != "all" and not (protocol.isdigit() and int(protocol) <= 255):
        raise invalid(f"Invalid protocol {protocol}")
    if first or last:
        raise invalid(f"Ports can't be given for protocol {protocol}")
    return protocol, 0, 0


def _sources(call: Call) -> list[tuple[str, str, str]]:
    """(cidr, group, account) of each rule to make. Raises ApiError 431."""
    found = []
    for cidr in call.items("cidrlist"):
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            raise invalid(f"Invalid cidr {cidr}") from None
        found.append((cidr, "", ""))
    for entry in call.table("usersecuritygrouplist"):
        name, account = entry.get("group", ""), entry.get("account", "")
        owners = [one for one in call.world.owners() if one.name == account]
        if not owners or not any(group.name == name for group in call.world.owned(Group, owners[0])):
            raise invalid(f"Unable to find security group {name} of account {account}")
        found.append(("", name, account))
    if not found:
        raise invalid("At least one cidr or at least one security group needs to be specified")
    return found


def _authorize(call: Call, direction: str) -> Task:
    group = _one_group(call, "securitygroupid", "securitygroupname")
    protocol, first, last = _protocol_and_range(call)
    sources = _sources(call)
    world = call.world

    def body() -> Body:
        yield 1.0
        rules: list[Rule] = getattr(group, direction)
        fresh = []
        for cidr, source_group, source_account in sources:
            rule = Rule(
                id=world.new_id("rule"), owner=group.owner, created=world.now(), protocol=protocol,
                first=first, last=last, cidr=cidr, source_group=source_group, source_account=source_account,
            )  # fmt: skip
            if not any(rule.same_as(held) for held in rules):
                rules.append(world.add(rule))
                fresh.append(rule)
        if not fresh:
            raise failed("Failed to authorize security group rule(s): all of them exist")
        row = _group_row(call, group)
        shown = [rule_row(world, rule) for rule in fresh]
        row |= {"ingressrule": [], "egressrule": [], f"{direction}rule": shown}
        return {"securitygroup": row}

    return Task(body=body(), on=group, event=f"SG.AUTH.{direction.upper()}")


def _revoke(call: Call, direction: str) -> Task:
    rule = call.find(Rule, "id")
    for group in call.world.owned(Group, rule.owner):
        if rule in getattr(group, direction):
            break
    else:
        raise unknown_id("id", f"{rule.id}, as an {direction} rule,")

    def body() -> Body:
        yield 1.0
        if rule not in getattr(group, direction):
            raise unknown_id("id", rule.id)
        getattr(group, direction).remove(rule)
        call.world.remove(rule)
        return {"success": True}

    return Task(body=body(), on=group, event=f"SG.REVOKE.{direction.upper()}")


@command("authorizeSecurityGroupIngress")
def authorize_ingress(call: Call) -> Task:
    """Let traffic in: one rule for each CIDR and each group."""
    return _authorize(call, "ingress")


@command("authorizeSecurityGroupEgress")
def authorize_egress(call: Call) -> Task:
    """Let traffic out: one rule for each CIDR and each group."""
    return _authorize(call, "egress")


@command("revokeSecurityGroupIngress")
def revoke_ingress(call: Call) -> Task:
    """Take an ingress rule back."""
    return _revoke(call, "ingress")


@command("revokeSecurityGroupEgress")
def revoke_egress(call: Call) -> Task:
    """Take an egress rule back."""
    return _revoke(call, "egress")
