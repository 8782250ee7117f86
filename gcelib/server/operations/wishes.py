"""What people may want of an operation: that it stops and takes back what it did, or that it is carried out anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib.server.operations.plan import LATE, Step, work_from_data
from gcelib.server.operations.state import Phase, StepState
from gcelib.server.operations.words import doing
from gcelib.store.backup import RESTORED
from gcelib.store.records import Record

REQUEST_SECONDS = 3 * 86400.0
"""How long what a client sent is kept, sealed, of an operation that failed: over a weekend."""

LEFT = frozenset({("keypairs", "register"), ("firewalls", "create_group"), ("tags", "set")})
"""(facet, verb) of steps that are not taken back and hurt nobody: an operation that fails leaves them, too."""


def permission(record: Record) -> str:
    """The GCE method whose role is needed to cancel an operation or to carry it out anew: the one that began it.

    For `policy.permit` with the verb "POST"; of operations that an older gcelib began, one that only admins may call.
    """
    return record.method or "compute.operations.cancel"


def may_cancel(record: Record) -> str:
    """Why an operation cannot be cancelled, for people; "" when it can.

    It can while it is not done and everything that was sent of it can be taken back, or goes with what is.
    """
    if record.done:
        return f"The operation '{record.name}' is DONE: there is nothing left to cancel."
    if record.canceller:
        return f"The operation '{record.name}' is being cancelled already, as {record.canceller} wants."
    if record.state.get("fault"):
        return f"The operation '{record.name}' has failed, and takes back what it did already."
    if record.state.get(RESTORED):
        return (f"The operation '{record.name}' comes from a backup: what was done of it since then is not on the "
                "books, so it must end by itself.")
    stays = _stays(record)
    if stays is None:
        return ""
    return (f"The operation '{record.name}' cannot be cancelled any more: {doing(stays)} was sent, and nothing takes "
            "that back. Let it end, then undo what is not wanted.")


def may_retry(record: Record) -> str:
    """Why an operation cannot be carried out anew, for people; "" when it can.

    It can when it failed, it is known how each step ended, and what its client sent is still kept. Whether it makes
    sense as the clouds are by then is judged as of any request.
    """
    if not record.done:
        return f"The operation '{record.name}' is {record.status}: only one that is DONE can be carried out anew."
    if not record.error:
        return f"The operation '{record.name}' did what was wanted: there is nothing to carry out anew."
    if any(_doubtful(StepState.from_data(each)) for each in _states(record)):
        return (f"It is not known how the operation '{record.name}' ended: done anew, its change could happen twice. "
                f"Look at '{record.target}' first, and send what is still needed.")
    if not record.repeatable:
        return (f"What the client sent for the operation '{record.name}' is not kept any more, after three days or as "
                "an older gcelib began it: send it again from the client.")
    return ""


def _stays(record: Record) -> Step | None:
    """The first step that was sent and would stay on its cloud if the others were taken back."""
    states = {name: StepState.from_data(each) for name, each in record.state.get("steps", {}).items()}
    gone: set[str] = set()
    for step in work_from_data(record.work).steps:
        state = states.get(step.name, StepState())
        if step.undo is not None:
            gone.add(step.name)
        elif state.sent or state.left:
            if _refers(step.args, gone):
                gone.add(step.name)
            elif not (step.optional or step.facet == LATE or (step.facet, step.verb) in LEFT):
                return step
    return None


def _refers(value: Any, gone: set[str]) -> bool:
    """Whether arguments speak of what a step made that is taken back: what they say goes with it."""
    if isinstance(value, Mapping):
        if set(value) == {"$ref"}:
            return str(value["$ref"]).partition(".")[0] in gone
        return any(_refers(each, gone) for each in value.values())
    return isinstance(value, (list, tuple)) and any(_refers(each, gone) for each in value)


def _states(record: Record) -> list[dict[str, Any]]:
    return [*record.state.get("steps", {}).values(), *record.state.get("undo", {}).values()]


def _doubtful(state: StepState) -> bool:
    return state.unknown or state.phase in (Phase.SUBMITTING, Phase.SUBMITTED)
