"""The items of network ACL lists: numbered, allowing or denying, for what comes in or what goes out."""

from __future__ import annotations

import ipaddress

from gcelib.simulator.call import Call, job_fields, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, forbidden, invalid
from gcelib.simulator.listing import listing
from gcelib.simulator.places import AclItem, AclList, Network, Vpc
from gcelib.simulator.records import Row

EVERYWHERE = ("0.0.0.0/0", "::/0")
PROTOCOLS = ("tcp", "udp", "icmp", "all")


def _row(call: Call, item: AclItem) -> Row:
    """An item as listNetworkACLs shows it: ports are text, other numbers are numbers."""
    shown: Row = {
        "id": item.id,
        "protocol": item.protocol,
        "traffictype": "Egress" if item.egress else "Ingress",
        "state": item.state,
        "cidrlist": ",".join(item.cidrs),
        "tags": tag_rows(call.world, item),
        "aclid": item.acl.id,
        "aclname": item.acl.name,
        "number": item.number,
        "action": "Deny" if item.deny else "Allow",
        "fordisplay": True,
        **job_fields(item),
    }
    if item.first is not None:
        shown |= {"startport": str(item.first), "endport": str(item.last)}
    icmp = {"icmptype": item.icmp_type, "icmpcode": item.icmp_code}
    shown |= {name: number for name, number in icmp.items() if number is not None}
    return shown | ({"reason": item.reason} if item.reason else {})


@command("listNetworkACLs")
def list_items(call: Call) -> Row:
    """The items of one list, or of all lists that the caller sees."""
    seen = {acl.id for acl in call.visible(AclList)} | {acl.id for acl in call.world.all(AclList) if acl.built_in}
    items = call.selected((item for item in call.world.all(AclItem) if item.acl.id in seen), protocol="protocol")
    if call.given("aclid"):
        acl = call.shared(AclList, "aclid")
        if not acl.built_in:
            call.find(AclList, "aclid")
        items = [item for item in items if item.acl is acl]
    if call.given("networkid"):
        network = call.find(Network, "networkid")
        items = [item for item in items if item.acl.id == network.acl_id]
    if call.given("traffictype"):
        items = [item for item in items if item.egress == (call.text("traffictype").lower() == "egress")]
    if call.given("action"):
        items = [item for item in items if item.deny == (call.text("action").lower() == "deny")]
    return listing(call, "networkacl", items, lambda item: _row(call, item))


def _list_of(call: Call) -> AclList:
    """The list a new item goes to; a tier that is named and has none is given one. Raises ApiError 431, 531."""
    if call.given("aclid"):
        acl = call.shared(AclList, "aclid")
    elif call.given("networkid"):
        network = call.find(Network, "networkid")
        if not network.vpc_id:
            raise invalid(f"Network: {network.id} does not belong to VPC")
        found = call.world.find(AclList, network.acl_id)
        acl = found or _made_for(call, network)
    else:
        raise invalid("Cannot create Network ACL Item. ACL Id or network Id is required")
    if acl.built_in:
        raise invalid("Default ACL cannot be modified")
    if not call.may_touch(acl.owner):
        raise forbidden(f"{call.account.name} does not have permission to operate with {acl.id}")
    return acl


def _made_for(call: Call, network: Network) -> AclList:
    if "NetworkACL" not in network.offering.services:
        raise invalid("Network Offering does not support NetworkACL service")
    vpc = call.world.find(Vpc, network.vpc_id)
    assert vpc is not None
    name = f"VPC_{vpc.name}_Tier_{network.name}_ACL_{network.id}"
    acl = call.world.add(
        AclList(id=call.world.new_id("acllist"), owner=vpc.owner, created=call.world.now(), name=name,
                description=f"ACL for {name}", vpc=vpc)
    )  # fmt: skip
    network.acl_id = acl.id
    return acl


def _number(call: Call, acl: AclList, own: AclItem | None = None) -> int | None:
    number = call.number("number")
    if number is None:
        return None
    if number < 1 and own is None:
        raise invalid(f"Invalid number [{number}]. Number cannot be < 1")
    if any(item.number == number and item.acl is acl and item is not own for item in call.world.all(AclItem)):
        raise invalid(f"ACL item with number {number} already exists in ACL: {acl.id}")
    return number


def _said(call: Call) -> Row:
    """What a call says of an item, as its fields; those not sent are left out. Raises ApiError 431."""
    said: Row = {}
    if call.given("action"):
        if call.text("action").lower() not in ("allow", "deny"):
            raise invalid(f"Invalid action [{call.text('action')}]. Permitted actions are Allow and Deny")
        said["deny"] = call.text("action").lower() == "deny"
    if call.given("traffictype"):
        if call.text("traffictype").lower() not in ("ingress", "egress"):
            raise invalid(f"Invalid traffic type {call.text('traffictype')}")
        said["egress"] = call.text("traffictype").lower() == "egress"
    if call.given("protocol"):
        said["protocol"] = "icmp" if call.text("protocol").strip() == "1" else call.text("protocol").strip()
    if call.given("cidrlist"):
        said["cidrs"] = tuple(call.items("cidrlist"))
    numbers = {"first": "startport", "last": "endport", "icmp_type": "icmptype", "icmp_code": "icmpcode"}
    said |= {name: call.number(sent) for name, sent in numbers.items() if call.given(sent)}
    if "first" in said:
        said.setdefault("last", said["first"])
    return said | ({"reason": call.text("reason")} if call.given("reason") else {})


def _check(fields: Row) -> None:
    """Raise ApiError 431 for an item that no list takes."""
    first, last, protocol = fields.get("first"), fields.get("last"), str(fields.get("protocol", "all"))
    if first is not None or last is not None:
        if first is None or last is None or not 1 <= first <= 65535 or not 1 <= last <= 65535:
            raise invalid(f"Start or end public port is an invalid value: {first}-{last}")
        if first > last:
            raise invalid(f"Start port can't be bigger than end port [startport={first},endport={last}]")
        if protocol.lower() == "all":
            raise invalid("start port and end port must be null if protocol = 'all'")
    for cidr in fields.get("cidrs", ()):
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            raise invalid(f"Source cidrs formatting error {cidr}") from None
    if protocol.isdigit() and int(protocol) > 255:
        raise invalid(f"Invalid protocol number: {protocol}")
    if not protocol.isdigit() and protocol.lower() not in PROTOCOLS:
        raise invalid(f"Invalid protocol [{protocol}]. Expected one of: [{','.join(PROTOCOLS)}]")
    icmp = fields.get("icmp_type"), fields.get("icmp_code")
    if protocol.lower() != "icmp" and icmp != (None, None):
        raise invalid("Can specify icmpCode and icmpType for ICMP protocol only")
    if protocol.lower() == "icmp" and first is not None:
        raise invalid("Can't specify start/end port when protocol is ICMP")
    if icmp[0] is not None and not -1 <= icmp[0] <= 255:
        raise invalid(f"Invalid icmp type [{icmp[0]}]. It should belong to [0-255] range")


@command("createNetworkACL", seconds=0.5)
def create_item(call: Call) -> Task:
    """Put an item into a list; without a number it comes last."""
    world = call.world
    acl = _list_of(call)
    number = _number(call, acl)
    if number is None:
        number = max((item.number for item in world.all(AclItem) if item.acl is acl), default=0) + 1
    fields = {"cidrs": EVERYWHERE, **_said(call)}
    if fields["protocol"].lower() == "icmp":
        fields = {"icmp_type": -1, "icmp_code": -1, **fields}
    _check(fields)
    item = world.add(
        AclItem(id=world.new_id("aclitem"), owner=acl.owner, created=world.now(), acl=acl, number=number, state="Add",
                **fields)
    )  # fmt: skip

    def body() -> Body:
        try:
            yield 1.0
        except ApiError:
            world.remove(item)
            raise
        item.state = "Active"
        return {"networkacl": _row(call, item)}

    return Task(body=body(), on=item, event="NETWORK.ACL.ITEM.CREATE")


@command("updateNetworkACLItem", seconds=0.5)
def update_item(call: Call) -> Task:
    """Change an item: the fields sent, or with partialupgrade=false all of them."""
    item = call.find(AclItem, "id")
    if item.acl.built_in:
        raise invalid("Default ACL cannot be modified")
    number = _number(call, item.acl, item)
    kept = ("protocol", "egress", "deny", "cidrs", "first", "last", "icmp_type", "icmp_code", "reason")
    now = {name: getattr(item, name) for name in kept} if call.flag("partialupgrade", default=True) else {}
    fields = {**now, **_said(call)}
    _check(fields)
    blank = AclItem(id="", owner=item.owner, created=0.0, acl=item.acl, number=0, protocol="")

    def body() -> Body:
        item.state = "Add"
        yield 1.0
        item.number = item.number if number is None else number
        for name in kept:
            setattr(item, name, fields.get(name, getattr(blank, name)))
        item.state = "Active"
        return {"networkacl": _row(call, item)}

    return Task(body=body(), on=item, event="NETWORK.ACL.ITEM.UPDATE")


@command("deleteNetworkACL", seconds=0.5)
def delete_item(call: Call) -> Task:
    """Take an item out of its list."""
    item = call.shared(AclItem, "id")
    if item.acl.built_in:
        call.touched = item
        raise invalid("ACL Items in default ACL cannot be deleted")
    item = call.find(AclItem, "id")

    def body() -> Body:
        item.state = "Deleting"
        try:
            yield 1.0
        except ApiError:
            item.state = "Active"
            raise
        call.world.remove(item)
        return {"success": True}

    return Task(body=body(), on=item, event="NETWORK.ACL.ITEM.DELETE")
