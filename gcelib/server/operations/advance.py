"""Takes one operation as far as it will go now: the order of its steps, its failure, its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from gcelib.errors import Bug, Fault, Unavailable
from gcelib.server.operations.carry import Carrier
from gcelib.server.operations.patience import LONGEST, UNDO_DEADLINE, Cooling, deadline_for, next_poll
from gcelib.server.operations.plan import LATE, Step, work_to_data
from gcelib.server.operations.reach import Reach
from gcelib.server.operations.state import Course, Phase, StepState, believe, stored_fault
from gcelib.server.operations.undo import take_back
from gcelib.server.operations.unfold import Planner, SharedTurn, Turn, Unfolder, has_planned
from gcelib.server.operations.words import left_behind, unknown
from gcelib.store.operations import Operations
from gcelib.store.records import Record

log = logging.getLogger("gcelib.operations")

_NOTICEABLE = 5
"""Percent of progress worth a write to the database."""


class LeaseLost(Exception):
    """Somebody else carries this operation on; what this holder knows of it is void."""


class Cancelled(Exception):
    """Somebody wants this operation cancelled, which its course knows now; what was to be stored is not."""


class Advance:
    """Visits operations. A visit never sleeps, and leaves on the books whatever it found.

    `settled` is told of each operation that ended, `planner` plans the steps whose turn has come, `crowd` says how
    many operations there are. Raises LeaseLost, and Unavailable when the database is away: then the course in memory
    may be ahead of the books and is to be read again from them.
    """

    def __init__(
        self,
        operations: Operations,
        reach: Reach,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float],
        lease_seconds: float,
        planner: Planner,
        settled: Callable[[Record], None] | None = None,
        crowd: Callable[[], int] = lambda: 1,
    ) -> None:
        self._operations = operations
        self._clock = clock
        self._steady = steady
        self._lease = lease_seconds
        self._settled = settled
        self._crowd = crowd
        self._carrier = Carrier(reach, self.save, clock, steady, Cooling(steady))
        turn = Turn(operations.is_open) if operations.alone else SharedTurn(operations.turns)
        self._unfolder = Unfolder(planner, turn, steady)

    def take_over(self) -> None:
        """Leave their turn to the operations that had it in a process before this one."""
        if not self._operations.alone:
            return
        for record in self._operations.open():
            if has_planned(record):
                self._unfolder.turn.take(record)

    def visit(self, course: Course) -> float | None:
        """Do what can be done now; seconds until the next visit makes sense, None when it is over."""
        over = False
        if course.fault is None and course.record.canceller:
            course.cancel()
        if course.fault is None:
            over = self._forward(course)
        if course.fault is not None:
            over = take_back(course, self._carrier)
        if over:
            self._end(course)
            return None
        self._measure(course)
        if course.dirty:
            self.save(course)
        return self._pause(course)

    def save(self, course: Course) -> None:
        """Put the course on the books, and keep the lease."""
        course.snapshot()
        self._write(course)

    def resume(self, course: Course) -> None:
        """Carry on what is read from the books: its times were another process's, and time has passed."""
        now = self._steady()
        for step in course.work.steps:
            believe(course.steps[step.name], now, deadline_for(step))
        for state in course.undo.values():
            believe(state, now, UNDO_DEADLINE)

    def crash(self, course: Course, error: Exception) -> None:
        """End an operation that our own code cannot carry on, saying what is unknown."""
        bug = Bug(f"gcelib broke at this operation ({type(error).__name__}). Its log says where.")
        course.refused = course.refused or (course.answering and not course.answered)
        for step in course.work.steps:
            for each, state in ((step, course.steps[step.name]), (step.undo, course.undo.get(step.name))):
                if each is not None and state is not None and state.sent:
                    honest = unknown(each, state, "gcelib broke at it.")
                    state.phase, state.unknown, state.error = Phase.FAILED, True, honest.to_data()
        course.fault, course.raised, course.failed_step = bug.to_data(), bug, ""
        self._end(course)

    def _forward(self, course: Course) -> bool:
        """Carry steps in order, each once; True when all are settled."""
        if not self._unfolder.resumed(course):
            return False
        for step in course.work.steps:
            state = course.steps[step.name]
            if not state.settled:
                if step.facet != LATE:
                    self._carrier.carry(course, step, state, patient=not course.answering)
                elif self._unfolder.unfold(course, step, state):
                    self.save(course)
                    return self._forward(course)
                if state.phase == Phase.FAILED and not self._tolerated(course, step, state):
                    return False
            if not state.settled and not (step.early and state.phase == Phase.SUBMITTED):
                return False
        return all(state.settled for state in course.steps.values())

    def _tolerated(self, course: Course, step: Step, state: StepState) -> bool:
        """A failed step becomes a warning where it is optional, else the operation's fault."""
        fault = dict(state.error or {})
        if step.optional:
            warning = {"code": "NOT_CRITICAL_ERROR", "message": str(fault.get("message", ""))}
            course.change(warnings=[*course.record.warnings, warning])
            return True
        course.fault, course.failed_step, course.dirty = fault, step.name, True
        course.refused = course.answering and course.refusable
        return False

    def _measure(self, course: Course) -> None:
        """Progress is the weighted share of settled steps; a running one counts a part that grows."""
        if course.fault is not None:
            return
        now = self._steady()
        done = sum(step.weight * _share(course.steps[step.name], now) for step in course.work.steps)
        whole = sum(step.weight for step in course.work.steps) or 1
        progress = min(99, int(100 * done / whole))
        if progress >= course.record.progress + _NOTICEABLE:
            course.change(progress=progress)

    def _pause(self, course: Course) -> float:
        now = self._steady()
        pauses = []
        for state in (*course.steps.values(), *course.undo.values()):
            if state.sent or (not state.settled and state.resume > now):
                polls = next_poll(now - state.since, self._crowd()) if state.phase == Phase.SUBMITTED else 0.0
                pauses.append(max(polls, min(state.resume - now, LONGEST)))
        return max(0.01, min(pauses, default=0.05))

    def _end(self, course: Course) -> None:
        before = course.record
        try:
            self._close(course)
        except BaseException:
            # Not on the books, so not over: the next visit ends it, or takes it back when it is cancelled.
            course.record, course.dirty = replace(before, canceller=course.record.canceller), True
            raise
        self._unfolder.turn.give_back(before)
        if self._settled is not None:
            try:
                self._settled(replace(course.record, work=work_to_data(course.work)))
            except Exception:
                log.exception("operation %s ended, and the hook for that broke", course.record.name)

    def _close(self, course: Course) -> None:
        now = self._clock()
        end = max(now, course.record.start_time or 0.0, course.record.insert_time)
        course.change(status="DONE", progress=100, end_time=end, start_time=course.record.start_time or end)
        if course.fault is not None:
            course.change(**_failure(course))
            if course.refused and not course.unknown:
                # The request was answered with the fault: sent again, it is a new request.
                course.change(request_key=None)
        course.snapshot(bare=True)
        self._write(course)

    def _write(self, course: Course) -> None:
        now = self._clock()
        record = replace(course.record, due=now, lease_until=now + self._lease)
        if course.grown and not record.done:
            record = replace(record, work=work_to_data(course.work))
        write = self._operations.grow if course.grown else self._operations.save
        before = self._steady()
        if not write(record, course.changes, course.record.due):
            raise self._why(course)
        course.record = record
        course.dirty = course.grown = False
        course.kept = before
        course.changes.clear()

    def _why(self, course: Course) -> Exception:
        """Why the course could not be stored; a wish to cancel it is known to it from now on."""
        known = course.record
        try:
            found = self._operations.load(known.id)
        except Unavailable:
            # It may be another's: whoever has it reads it again from the books.
            return LeaseLost(known.name)
        if found is None or found.done or (found.holder, found.due) != (known.holder, known.due):
            return LeaseLost(known.name)
        if found.canceller == known.canceller:
            return LeaseLost(known.name)
        course.record = replace(known, canceller=found.canceller)
        return Cancelled(known.name)


def _share(state: StepState, now: float) -> float:
    if state.settled:
        return 1.0
    if state.phase != Phase.SUBMITTED:
        return 0.0
    age = max(0.0, now - state.since)
    return 0.9 * age / (age + 20.0)


def _failure(course: Course) -> dict[str, Any]:
    """The fields of a failed operation: the fault first, then what it leaves behind."""
    fault = stored_fault(course)
    first: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.field:
        first["location"] = fault.field
    left = left_behind(course)
    errors = [first, {"code": "CLEANUP_FAILED", "message": left}] if left else [first]
    return {"error": {"errors": errors}, "http_status": int(HTTPStatus(fault.status))}


def answer_of(course: Course) -> Fault:
    """The fault that answers the request of a refused operation, with what it leaves behind."""
    fault = stored_fault(course)
    left = left_behind(course)
    if not left:
        return fault
    return type(fault)(
        f"{fault.message} {left}", field=fault.field, retry_after=fault.retry_after, headers=fault.headers
    )
