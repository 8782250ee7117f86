"""One operation: what it is about, its steps as they are, its errors, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gcelib.errors import NotFound, Unavailable
from gcelib.server.console import deeds
from gcelib.server.console.desk import Visit, without
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, Html, badge, bar, el, join, lasted, long, moment, table
from gcelib.server.console.projects import called
from gcelib.server.operations.plan import LATE, Step
from gcelib.server.operations.state import Course, Phase, StepState

_LEVELS = {
    Phase.WAITING: ("note", "waits"), Phase.SUBMITTING: ("busy", "is being sent"),
    Phase.SUBMITTED: ("busy", "under way"), Phase.DONE: ("well", "done"), Phase.FAILED: ("wrong", "failed"),
    Phase.UNDONE: ("note", "taken back"), Phase.SKIPPED: ("note", "skipped"),
}


def page(visit: Visit, name: str) -> Page:
    """The operation of this name. Raises NotFound, in the same words for one that may not be seen."""
    try:
        course = found(visit, name)
    except Unavailable as fault:
        return Page("Operation", join([el("h1", "Operation"), without(fault)]), 2.0)
    record = course.record
    what = f"{record.verb} {record.target.partition('/')[2] or record.target}"
    body = join([
        el("h1", what),
        el("dl", list(_facts(visit, course)), class_="facts"),
        deeds.offered(visit, record),
        _errors(course),
        _steps("Steps", [(step, course.steps[step.name]) for step in course.work.steps]),
        _steps("What is taken back", [(step.undo, course.undo[step.name]) for step in course.work.steps
                                      if step.undo and step.name in course.undo]),
    ])
    return Page(what, body, 0 if record.done else 2.0, f"{what}: {record.status.lower()}, {record.progress} %")


def found(visit: Visit, name: str) -> Course:
    """How far it is, where it may be seen. Raises NotFound, Unavailable."""
    place = visit.books().glimpses.place(name)
    seen = visit.sight.operations()
    if place is None or (seen is not None and place[0] not in seen):
        raise NotFound(f"There is no operation '{name}', or not for you; those that ended weeks ago are forgotten.")
    return Course.of(visit.desk.operations.get(*place, name))


def _facts(visit: Visit, course: Course) -> Iterator[Html]:
    record = course.record
    told: dict[str, Child] = {
        "State": _state(course), "Name": el("code", record.name, class_="long"), "Project": called(record.project),
        "Asked for by": record.caller, "Begun": moment(record.insert_time, visit.now),
    }
    if record.end_time is not None and record.done:
        told["Ended"] = join([moment(record.end_time, visit.now),
                              f", after {lasted(max(0.0, record.end_time - record.insert_time))}"])
    if record.holder and not record.done:
        told["Carried on by"] = record.holder.rpartition(":")[0]
    if record.canceller and not record.done:
        told["Is cancelled"] = f"as {record.canceller} wants"
    if course.says:
        told["Says"] = course.says
    for term, said in told.items():
        yield el("dt", term)
        yield el("dd", said)


def _state(course: Course) -> Child:
    record = course.record
    if record.done:
        return badge("wrong", "failed") if record.error else badge("well", "done")
    word = badge("wrong", "failed, takes back what it did") if course.fault else badge("busy", record.status.lower())
    return [word, f" {record.progress} %", bar(record.progress, "Progress")]


def _errors(course: Course) -> Html | None:
    record = course.record
    errors = [str(each.get("message", "")) for each in (record.error or {}).get("errors", ())]
    if not errors and course.fault:
        errors = [str(course.fault.get("message", ""))]
    warnings = [str(each.get("message", "")) for each in record.warnings]
    if not errors and not warnings:
        return None
    return join([el("h2", "What it says"), el("ul", [
        *(el("li", el("p", badge("wrong", "error"), f": {text}"), class_="wrong") for text in errors),
        *(el("li", el("p", badge("note", "warning"), f": {text}"), class_="note") for text in warnings),
    ], class_="findings")])


def _steps(title: str, steps: Sequence[tuple[Step, StepState]]) -> Html | None:
    """Steps in their order. Their arguments stay out: they may hold what a user wants nobody to read."""
    if not steps:
        return None
    rows = [_row(step, state) for step, state in steps]
    return join([el("h2", title), table(title, ("Step", "Where", "State", "Tries", "Says"), rows, hidden=True)])


def _row(step: Step, state: StepState) -> list[Child]:
    level, word = _LEVELS[state.phase]
    if state.doubt and state.phase == Phase.SUBMITTING:
        word = "sent, the answer was lost: it is looked for"
    if state.unknown:
        word = "failed; whether it happened is not known"
    where = f"{step.cloud or 'gcelib'}: {step.facet}.{step.verb}"
    if step.facet == LATE:
        where = "planned when its turn comes"
    said = str((state.error or {}).get("message", ""))
    return [step.name, where, badge(level, word), str(state.tries) if state.tries else "–",
            long(said) if said else "–"]
