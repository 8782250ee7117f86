"""What an operation's step leaves behind: its line in the log, its place in the figures, its span."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gcelib.server import logs, metrics, tracing
from gcelib.server.operations.plan import Step
from gcelib.server.operations.state import Course, StepState

log = logging.getLogger("gcelib.operations.step")


@contextmanager
def turn(course: Course, step: Step, state: StepState, steady: Callable[[], float]) -> Iterator[None]:
    """One turn of a step: everything logged in it carries the id of the request that the operation came of.

    `steady` is the clock of the state's times.
    """
    before = state.phase

    def facts() -> dict[str, Any]:
        return _facts(course, step, state)

    with (
        logs.request_scope(course.work.came_of or logs.request_id()),
        tracing.step(course.work.trace, f"{step.facet}.{step.verb}", facts),
    ):
        try:
            yield
        finally:
            if state.settled and state.phase != before:
                metrics.step_settled(step.facet, str(state.phase))
                logs.line(log, {**facts(), "ms": round((steady() - state.since) * 1000, 1)})


def _facts(course: Course, step: Step, state: StepState) -> dict[str, Any]:
    """What there is to say of a step; nothing of its arguments, which may hold a user's secrets."""
    facts: dict[str, Any] = {
        "operation": course.record.name, "step": step.name, "facet": step.facet, "verb": step.verb,
        "cloud": step.cloud, "outcome": str(state.phase), "tries": state.tries,
        "back": any(each is state for each in course.undo.values()),
        "reason": str((state.error or {}).get("kind", "")), "error": str((state.error or {}).get("message", "")),
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value not in ("", False)}
