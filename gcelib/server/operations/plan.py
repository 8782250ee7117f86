"""A change as data: `Work` and its `Step`s, stored before the cloud hears of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

LATE = "plan"
"""The facet of steps that are planned when their turn comes: `verb` says what, `args` about what."""


@dataclass(frozen=True, slots=True)
class Step:
    """One write on one facet of one cloud.

    `args` are JSON values; `{"$ref": "STEP.FIELD"}` anywhere in them stands for a field of an earlier
    step's result, or its target (`STEP.target`). `cloud` "" with facet "notes" writes to the store.
    `undo` names what takes the step back when a later one fails. `optional`: its failure becomes a
    warning of the operation, not its error; what an optional `undo` leaves is not spoken of, for it is cleared away
    later. `early`: the next step may be submitted as soon as this
    one is accepted, without waiting for it to settle.
    """

    name: str
    cloud: str
    facet: str
    verb: str
    args: Mapping[str, Any] = field(default_factory=dict)
    undo: Step | None = None
    optional: bool = False
    early: bool = False
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Work:
    """What a write handler returns: GCE's verb, the target's path, and the steps in order.

    `target` is a path below `projects/` ("demo/zones/z/instances/n"). `main` names the step whose
    acceptance answers the request: its refusal is the HTTP answer, its target the operation's
    `targetId`. `target_id` is the number where it is known beforehand. `warnings` are
    (code, message) pairs to show in the operation. `alone`: it was planned from what the target is now, so
    that it is refused while another operation is changing the target. `compared`: its client sent a fingerprint, which
    held when it was planned, so that it is refused while another operation changes the same of the target. `asked` is
    a digest of what the client sent: what a repeated request id must repeat. `group` is the id of the group of inserts
    this is, "" for none.
    `came_of` is the X-Request-Id of the request, `trace` its W3C traceparent, "" for none. `touches` names the
    fingerprints of what it changes as far as its client said, with spaces between.
    """

    verb: str
    target: str
    steps: Sequence[Step]
    main: str = ""
    target_id: str = ""
    target_kind: str = ""
    warnings: Sequence[tuple[str, str]] = ()
    asked: str = ""
    alone: bool = False
    compared: bool = False
    group: str = ""
    came_of: str = ""
    trace: str = ""
    touches: str = ""


CAME = ("came_of", "trace", "touches")
"""Fields of a work that are stored beside it, in its state: an older gcelib that shares the database must be able to
read a work."""

_APART = frozenset({*CAME, "compared"})
"""Fields of a work that are not stored with it; `compared` means nothing once it is on the books."""


def came(work: Work) -> dict[str, str]:
    """What is known of the request that a work came of, for storing."""
    return {name: getattr(work, name) for name in CAME if getattr(work, name)}


def work_to_data(work: Work) -> dict[str, Any]:
    """The work as JSON values, for storing; `work_from_data` reads it back."""
    data = {each.name: getattr(work, each.name) for each in fields(Work) if each.name not in _APART}
    data["steps"] = [step_to_data(step) for step in work.steps]
    data["warnings"] = [list(pair) for pair in work.warnings]
    return data


def step_to_data(step: Step) -> dict[str, Any]:
    """One step as JSON values."""
    data = {each.name: getattr(step, each.name) for each in fields(Step)}
    data["undo"] = None if step.undo is None else step_to_data(step.undo)
    return data


def work_from_data(data: Mapping[str, Any]) -> Work:
    """The work that `work_to_data` described."""
    values = dict(data)
    values["steps"] = tuple(step_from_data(step) for step in values.get("steps", ()))
    values["warnings"] = tuple((code, message) for code, message in values.get("warnings", ()))
    return Work(**values)


def step_from_data(data: Mapping[str, Any]) -> Step:
    """The step that `step_to_data` described."""
    values = dict(data)
    undo = values.get("undo")
    values["undo"] = None if undo is None else step_from_data(undo)
    return Step(**values)
