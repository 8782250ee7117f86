"""An operation that makes several things, as GCE shows it: itself, and one insert for each thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gcelib import naming
from gcelib.store.records import Record

SEPARATOR = ": "
"""Stands between a thing's name and its step's in the names of the steps."""


def parts(record: Record) -> Iterator[Record]:
    """The inserts of a group's operation; none of any other. They begin and end together: all are made or none."""
    if not record.work.get("group"):
        return
    made = [step for step in record.work["steps"] if (step["facet"], step["verb"]) == ("nodes", "create")]
    for number, step in enumerate(made, 1):
        name = str(step["name"]).partition(SEPARATOR)[0]
        target = str(record.state.get("steps", {}).get(step["name"], {}).get("target", ""))
        yield replace(
            record, name=f"{record.name}-{number}", verb="insert", target=f"{record.target}/instances/{name}",
            number=naming.number("", "operation", f"{record.id} {number}"),
            target_id=naming.number(step["cloud"], "node", target) if target else "",
        )


def part(record: Record, name: str) -> Record | None:
    """The insert of this name."""
    return next((each for each in parts(record) if each.name == name), None)


def whole(record: Record) -> str:
    """The name of the operation that this one is a part of, else its own."""
    is_part = record.work.get("group") and record.verb == "insert"
    return record.name.rpartition("-")[0] if is_part else record.name
