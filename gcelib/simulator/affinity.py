"""Affinity groups."""

from __future__ import annotations

from gcelib.simulator.call import Call, ownership
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import in_use, invalid, unknown_id
from gcelib.simulator.hardware import Machine
from gcelib.simulator.listing import listing
from gcelib.simulator.records import AffinityGroup, Owner, Row

KINDS = ("host anti-affinity", "host affinity", "non-strict host anti-affinity", "non-strict host affinity")


def chosen_affinity(call: Call, owner: Owner) -> list[AffinityGroup]:
    """The groups that a deploy names. Raises ApiError 431."""
    ids, names = call.items("affinitygroupids"), call.items("affinitygroupnames")
    if ids and names:
        raise invalid("affinitygroupids and affinitygroupnames are mutually exclusive")
    mine = call.world.owned(AffinityGroup, owner)
    found = []
    for wanted in ids or names:
        match = [group for group in mine if wanted in (group.id if ids else group.name,)]
        if not match:
            raise unknown_id("affinitygroupids" if ids else "affinitygroupnames", wanted)
        found.append(match[0])
    return found


def _row(call: Call, group: AffinityGroup) -> Row:
    members = [machine.id for machine in call.world.owned(Machine, group.owner) if group in machine.affinity]
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "type": group.kind,
        **ownership(call.world, group.owner),
        "virtualmachineIds": members,
    }


@command("listAffinityGroups")
def list_affinity_groups(call: Call) -> Row:
    """The caller's affinity groups."""
    rows = call.selected(call.visible(AffinityGroup), name="name", type="kind")
    return listing(call, "affinitygroup", rows, lambda group: _row(call, group))


@command("createAffinityGroup", seconds=0.2)
def create_affinity_group(call: Call) -> Task:
    """Make an affinity group."""
    owner = call.owner()
    if call.text("type") not in KINDS:
        raise invalid(f"Unable to create affinity group, invalid affinity group type {call.text('type')}")
    if any(group.name == call.text("name") for group in call.world.owned(AffinityGroup, owner)):
        raise invalid(f"An affinity group named {call.text('name')} exists already")
    group = call.world.add(
        AffinityGroup(
            id=call.world.new_id("affinitygroup"), owner=owner, created=call.world.now(),
            name=call.text("name"), kind=call.text("type"), description=call.text("description"),
        )
    )  # fmt: skip

    def body() -> Body:
        yield 1.0
        return {"affinitygroup": _row(call, group)}

    return Task(body=body(), on=group)


@command("deleteAffinityGroup", seconds=0.2)
def delete_affinity_group(call: Call) -> Task:
    """Delete an affinity group that no machine uses."""
    if call.given("id"):
        group = call.find(AffinityGroup, "id")
    else:
        named = [one for one in call.world.owned(AffinityGroup, call.owner()) if one.name == call.text("name")]
        if not named:
            raise invalid("Unable to find the affinity group by its name")
        group = named[0]
    if any(group in machine.affinity for machine in call.world.owned(Machine, group.owner)):
        raise in_use(f"Cannot delete affinity group {group.name}: it is in use")

    def body() -> Body:
        yield 1.0
        call.world.remove(group)
        return {"success": True}

    return Task(body=body(), on=group)
