"""One worker's turn with one operation, and the turns a request takes itself until it can be answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from gcelib.errors import Bug, Fault, Unavailable
from gcelib.server.operations.advance import Advance, Cancelled, LeaseLost, answer_of
from gcelib.server.operations.patience import LONGEST
from gcelib.server.operations.state import Course, Phase
from gcelib.store.operations import Operations
from gcelib.store.records import Record

log = logging.getLogger("gcelib.operations")

ANSWER_SECONDS = 25.0
"""How long a request waits at most until its main step is accepted."""

STEP_SECONDS = 2.0
"""How long a request waits for jobs that come before its main step."""

UNDO_SECONDS = 5.0
"""How long a refused request waits until what was made for it is taken back."""

STORE_SECONDS = 1.0
"""Pause before the next turn when the database was away."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets: the record, or the fault; `pause` until the next turn, None when there is none."""

    record: Record
    pause: float | None
    fault: Fault | None


class Turns:
    """Keeps the courses of this holder's operations in memory: only the holder writes them."""

    def __init__(
        self,
        operations: Operations,
        advance: Advance,
        holder: str,
        ticks: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._operations = operations
        self._advance = advance
        self._holder = holder
        self._ticks = ticks
        self._sleep = sleep
        self._courses: dict[str, Course] = {}
        self._cancelled: dict[str, str] = {}

    def looked(self, id: str) -> float | None:
        """When this operation had its last turn; None when it is not here."""
        course = self._courses.get(id)
        return None if course is None else course.looked

    def cancelled(self, id: str, by: str) -> bool:
        """Somebody wants this operation cancelled, as the books say: its next turn goes by that. Whether it is news."""
        course = self._courses.get(id)
        if course is None or course.record.canceller == by:
            return False
        self._cancelled[id] = by
        return True

    def turn(self, id: str) -> float | None:
        """One turn; seconds until the next, None when this holder has nothing more to do with it.

        Never raises: what cannot be carried on is ended, what cannot be stored is tried again.
        """
        try:
            course = self._courses.get(id) or self._load(id)
        except Unavailable as fault:
            log.warning("operation %s cannot be read: %s", id, fault.message)
            return STORE_SECONDS
        except Exception:
            log.exception("operation %s cannot be read", id)
            return LONGEST
        if course is None:
            return None
        pause = self._visit(course)
        if pause is None:
            self._courses.pop(id, None)
        return pause

    def answer(self, record: Record) -> Answer:
        """Take turns in this thread until the request can be answered."""
        course = self._courses[record.id] = Course.of(record)
        course.answering = True
        started = self._ticks()
        try:
            while True:
                pause = self._visit(course)
                if pause is None or self._enough(course, self._ticks() - started):
                    break
                self._sleep(min(pause, 0.25))
        finally:
            course.answering = False
        fault = answer_of(course) if course.refused else None
        if pause is None:
            self._courses.pop(record.id, None)
            if not course.done:
                return Answer(self._operations.load(record.id) or course.record, None, fault)
        return Answer(course.record, pause, fault)

    def _enough(self, course: Course, waited: float) -> bool:
        """True when the request is to be answered now, and the rest goes on behind."""
        if waited > ANSWER_SECONDS:
            return True
        if course.changes:
            # What was done is not on the books yet: another process would not show it.
            return False
        if course.fault is not None:
            return not course.refused or waited > STEP_SECONDS + UNDO_SECONDS
        if course.answered or waited > STEP_SECONDS:
            return True
        # A lost answer is not waited for: looking for what happened takes its time.
        return any(state.phase == Phase.SUBMITTING for state in course.steps.values())

    def _visit(self, course: Course) -> float | None:
        try:
            course.looked = self._ticks()
            # Only the thread that has the turn changes the course.
            by = self._cancelled.pop(course.record.id, "")
            if by:
                course.record = replace(course.record, canceller=by)
            return self._advance.visit(course)
        except Cancelled:
            return 0.0
        except LeaseLost:
            log.warning("operation %s is carried on by another process", course.record.name)
            return None
        except Unavailable as fault:
            log.warning("operation %s cannot be stored: %s", course.record.name, fault.message)
            return STORE_SECONDS
        except Exception as error:
            log.exception("operation %s broke", course.record.name)
            return self._crashed(course, error)

    def _crashed(self, course: Course, error: Exception) -> float | None:
        try:
            self._advance.crash(course, error)
        except Cancelled:
            return 0.0
        except LeaseLost:
            return None
        except Exception:
            log.exception("operation %s broke and cannot be ended yet", course.record.name)
            return STORE_SECONDS
        return None

    def _load(self, id: str) -> Course | None:
        record = self._operations.load(id)
        if record is None or record.done or record.holder != self._holder:
            return None
        try:
            course = Course.of(record)
            self._advance.resume(course)
        except Exception as error:
            log.exception("operation %s cannot be understood", record.name)
            self._unreadable(record, error)
            return None
        self._courses[id] = course
        return course

    def _unreadable(self, record: Record, error: Exception) -> None:
        """End an operation that another gcelib wrote in a form unknown here."""
        bug = Bug(
            f"This operation was stored in a form that this gcelib cannot read ({type(error).__name__}); "
            "what it did is not known. Look at its target before trying again."
        )
        self._operations.save(
            replace(
                record,
                status="DONE",
                progress=100,
                end_time=max(record.insert_time, record.start_time or 0.0),
                error={"errors": [{"code": bug.code, "message": bug.message}]},
                http_status=bug.status,
            )
        )
