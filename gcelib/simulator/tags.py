"""Tags on resources."""

from __future__ import annotations

from gcelib.simulator.call import Call, tag_rows
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import at_door, failed, invalid, unknown_id
from gcelib.simulator.listing import listing
from gcelib.simulator.records import Row, Thing

LONGEST = 255


def _targets(call: Call) -> list[Thing]:
    """The resources that the call names. Raises ApiError 431 or 531."""
    wanted = call.text("resourcetype").lower()
    kinds = [kind for kind in call.world.tagged_kinds() if kind.tag_type.lower() == wanted]
    if not kinds:
        raise at_door(invalid(f"Invalid resource type: {call.text('resourcetype')}"))
    found = []
    for resource_id in call.items("resourceids"):
        if not any(call.world.find(kind, resource_id) for kind in kinds):
            raise at_door(unknown_id("resourceids", resource_id))
        found += [call.get(kind, resource_id) for kind in kinds if call.world.find(kind, resource_id)]
    return found


@command("createTags", seconds=0.2)
def create_tags(call: Call) -> Task:
    """Put tags on resources; a key that a resource has already fails the job."""
    things = _targets(call)
    tags = call.pairs("tags")
    for key, value in tags.items():
        if not key or not value or max(len(key), len(value)) > LONGEST:
            raise invalid(f"Tag keys and values must have 1 to {LONGEST} characters: {key[:40]}")

    def body() -> Body:
        for thing in things:
            if any(key.lower() in {held.lower() for held in thing.tags} for key in tags):
                raise failed(f"A tag with one of these keys is on {thing.id} already")
        yield 1.0
        for thing in things:
            thing.tags |= tags
        return {"success": True}

    return Task(body=body(), on=things[0], beside=True)


@command("deleteTags", seconds=0.2)
def delete_tags(call: Call) -> Task:
    """Take tags off resources: all, those of a key, or those of a key and value."""
    things = _targets(call)
    tags = call.pairs("tags")

    def body() -> Body:
        yield 1.0
        for thing in things:
            if not tags:
                thing.tags.clear()
            for key, value in tags.items():
                if value in ("", thing.tags.get(key)):
                    thing.tags.pop(key, None)
        return {"success": True}

    return Task(body=body(), on=things[0], beside=True)


@command("listTags")
def list_tags(call: Call) -> Row:
    """The tags on the caller's resources."""
    rows: list[Row] = []
    for kind in call.world.tagged_kinds():
        if call.text("resourcetype").lower() in ("", kind.tag_type.lower()):
            for thing in call.visible(kind):
                rows += tag_rows(call.world, thing)
    for name in ("resourceid", "key", "value"):
        if call.given(name):
            rows = [row for row in rows if row[name] == call.text(name)]
    return listing(call, "tag", rows, lambda row: row)
