"""Network ACL lists of virtual private clouds, and which tier has which."""

from __future__ import annotations

from gcelib.simulator.call import Call, job_fields
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import failed, forbidden, invalid
from gcelib.simulator.listing import listing
from gcelib.simulator.places import AclItem, AclList, Network, Vpc
from gcelib.simulator.records import Row
from gcelib.simulator.world import World


def _row(acl: AclList) -> Row:
    place = {"vpcid": acl.vpc.id, "vpcname": acl.vpc.name} if acl.vpc else {}
    shown = {"id": acl.id, "name": acl.name, "description": acl.description, "fordisplay": True}
    return {**shown, **place, **job_fields(acl)}


def remove_list(world: World, acl: AclList) -> None:
    """Strike off a list and its items."""
    for item in world.all(AclItem):
        if item.acl is acl:
            world.remove(item)
    world.remove(acl)


@command("listNetworkACLLists")
def list_lists(call: Call) -> Row:
    """The lists of the caller's private clouds, and the two of everybody."""
    mine = [acl for acl in call.visible(AclList) if acl.vpc is not None]
    rows = call.selected([*(acl for acl in call.world.all(AclList) if acl.vpc is None), *mine], name="name")
    if call.given("vpcid"):
        vpc = call.find(Vpc, "vpcid")
        rows = [acl for acl in rows if acl.vpc in (vpc, None)]
    if call.given("networkid"):
        network = call.find(Network, "networkid")
        rows = [acl for acl in rows if acl.id == network.acl_id]
    return listing(call, "networkacllist", rows, _row)


@command("createNetworkACLList", seconds=0.5)
def create_list(call: Call) -> Task:
    """Make a list without items. Only administrators make one that is everybody's; there is none here."""
    if not call.given("vpcid"):
        raise forbidden("Only Root Admin can create global ACLs.")
    vpc = call.find(Vpc, "vpcid")
    acl = call.world.add(
        AclList(id=call.world.new_id("acllist"), owner=vpc.owner, created=call.world.now(), name=call.text("name"),
                description=call.text("description"), vpc=vpc)
    )  # fmt: skip

    def body() -> Body:
        yield 1.0
        return {"networkacllist": _row(acl)}

    return Task(body=body(), on=acl, event="NETWORK.ACL.CREATE")


@command("updateNetworkACLList", seconds=0.5)
def update_list(call: Call) -> Task:
    """Rename a list or describe it anew."""
    acl = _own(call, "id", "Must be Root Admin to update a global ACL.")

    def body() -> Body:
        yield 1.0
        acl.name = call.text("name", acl.name)
        acl.description = call.text("description", acl.description)
        return {"networkacllist": _row(acl)}

    return Task(body=body(), on=acl, event="NETWORK.ACL.UPDATE")


@command("deleteNetworkACLList", seconds=0.5)
def delete_list(call: Call) -> Task:
    """Delete a list that no tier has, with its items."""
    acl = call.shared(AclList, "id")
    if acl.built_in:
        call.touched = acl
        raise invalid("Default ACL cannot be removed")
    acl = call.find(AclList, "id")

    def body() -> Body:
        yield 1.0
        users = [network for network in call.world.all(Network) if network.acl_id == acl.id]
        if users:
            raise failed(f"ACL is still associated with {len(users)} tier(s). Cannot delete network ACL: {acl.id}")
        remove_list(call.world, acl)
        return {"success": True}

    return Task(body=body(), on=acl, event="NETWORK.ACL.DELETE")


@command("replaceNetworkACLList", seconds=1)
def replace_list(call: Call) -> Task:
    """Give a tier another list. Private gateways, which could have one too, are not simulated."""
    if call.given("gatewayid") == call.given("networkid"):
        raise invalid("Network ID and private gateway can't be null, nor be passed, at the same time")
    network = call.find(Network, "networkid")

    def body() -> Body:
        acl = call.shared(AclList, "aclid")
        _fits(network, acl)
        yield 1.0
        network.acl_id = acl.id
        return {"success": True}

    return Task(body=body(), on=network, event="NETWORK.ACL.REPLACE")


def _fits(network: Network, acl: AclList) -> None:
    """Raise ApiError 431 where a network cannot have a list."""
    if not network.vpc_id:
        raise invalid(f"Network is not part of a VPC: {network.id}")
    if acl.vpc is not None and acl.vpc.id != network.vpc_id:
        raise invalid(f"Network: {network.id} and ACL: {acl.id} do not belong to the same VPC")
    if "NetworkACL" not in network.offering.services:
        raise invalid("Cannot apply NetworkACL. Network Offering does not support NetworkACL service")


def _own(call: Call, parameter: str, words: str) -> AclList:
    """A list that the caller may change. Raises ApiError 431, and 531 for the built-in ones."""
    if call.shared(AclList, parameter).built_in:
        raise forbidden(words)
    return call.find(AclList, parameter)
