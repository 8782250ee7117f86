"""The sentences in which an operation says what it was doing, what is unknown and what is left behind."""

from __future__ import annotations

from collections.abc import Iterator

from gcelib.errors import Uncertain
from gcelib.server.operations.plan import Step
from gcelib.server.operations.state import Course, Phase, StepState

_THINGS = {
    "nodes": "machine",
    "volumes": "disk",
    "snapshots": "snapshot",
    "images": "image",
    "networks": "network",
    "firewalls": "security group",
    "addresses": "address",
    "guards": "rule",
    "acls": "access list",
    "keypairs": "key pair",
    "tags": "tags",
    "notes": "note",
}


def doing(step: Step) -> str:
    """What a step does and where, as in "nodes.create on cloud 'gva'"."""
    where = f" on cloud '{step.cloud}'" if step.cloud else ""
    return f"{step.facet}.{step.verb}{where}"


def thing(step: Step, state: StepState) -> str:
    """What a step is about, as in "machine 'web-1'"."""
    name = state.args.get("name") or state.args.get("id") or state.args.get("rule_id") or state.target
    both = f"'{name}' ({state.target})" if state.target and state.target != name else f"'{name}'"
    kind = _THINGS.get(step.facet, step.facet)
    return f"{kind} {both}" if name else kind


def unknown(step: Step, state: StepState, words: str) -> Uncertain:
    """The honest end of a step whose outcome nobody knows."""
    return Uncertain(
        f"How {doing(step)} ended for the {thing(step, state)} is not known: {words} "
        "It may still happen; look before trying again."
    )


def left_behind(course: Course) -> str:
    """What a failed operation made and did not take back, and why; "" when nothing is left."""
    broke = course.fault is not None and not course.failed_step
    if broke or course.unknown:
        return " ".join(_left_alone(course))
    sentences = []
    for step in course.work.steps:
        back = course.undo.get(step.name)
        spoken_of = step.undo is not None and not step.undo.optional
        if spoken_of and back is not None and back.phase == Phase.FAILED:
            reason = str((back.error or {}).get("message", ""))
            sentences.append(f"Left behind: {thing(step, course.steps[step.name])}. {reason}")
    if sentences:
        sentences.append("Delete what is left by the id in parentheses, here or on the cloud itself.")
    return " ".join(sentences)


def _left_alone(course: Course) -> Iterator[str]:
    """What an operation says of which it is not known how it ended: what else is in doubt, and what is surely there."""
    states = [course.steps[step.name] for step in course.work.steps]
    undoing = [course.undo[step.name] for step in course.work.steps if step.name in course.undo]
    said = {str((course.fault or {}).get("message", "")), *(str(each["message"]) for each in course.record.warnings)}
    for state in (*states, *undoing):
        words = str((state.error or {}).get("message", ""))
        if state.unknown and words not in said:
            yield words
    made = [
        thing(step, state)
        for step, state in zip(course.work.steps, states, strict=True)
        if step.undo is not None and state.left
    ]
    if made:
        yield f"Left as it is, because it is not known how the operation ended: {', '.join(made)}."
