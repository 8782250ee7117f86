"""Steps that are planned when their turn comes: one becomes the steps that bring the clouds up to what is wanted then.

The operations of a project take turns at that, from the first such step to the end, so that none plans from what
another is about to change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gcelib.errors import Bug, Fault, TooMany, Unavailable
from gcelib.server.operations.patience import DEADLINE, LONGEST
from gcelib.server.operations.plan import LATE, Step
from gcelib.server.operations.state import Course, Phase, StepState
from gcelib.store.records import Record
from gcelib.store.turns import TurnRows

Planner = Callable[[str, str, Mapping[str, Any]], Sequence[Step]]
"""(project, what is to be planned, its arguments) to the steps; raises Faults."""

TURN_SECONDS = (0.1, 3.0)
"""The shortest and the longest pause before it is looked again whether it is an operation's turn."""

AWAY_SECONDS = 2.0
"""Pause before a cloud is asked again that could not say what it holds."""


EVERYWHERE: frozenset[str] = frozenset()
"""What an operation plans for whose planned steps are not one cloud's each: no cloud is left out."""


class Turn:
    """Whose turn it is in each project, on each cloud. `open` says whether an operation is still carried on here.

    Operations that plan for different clouds have their turns beside each other: one that waits for its cloud does
    not keep those of another waiting.
    """

    def __init__(self, open: Callable[[str], bool]) -> None:
        self._open = open
        self._lock = threading.Lock()
        self._holders: dict[str, dict[str, tuple[str, frozenset[str]]]] = {}

    def take(self, record: Record) -> str:
        """"" when it is this operation's turn from now on, else the name of one whose turn it is."""
        clouds = planned_for(record)
        with self._lock:
            holders = self._holders.setdefault(record.project, {})
            for id, (name, theirs) in list(holders.items()):
                if id == record.id:
                    return ""
                if not self._open(id):
                    del holders[id]
                elif EVERYWHERE in (clouds, theirs) or clouds & theirs:
                    return name
            holders[record.id] = (record.name, clouds)
            return ""

    def give_back(self, record: Record) -> None:
        """It is over."""
        with self._lock:
            holders = self._holders.get(record.project, {})
            holders.pop(record.id, None)
            if not holders:
                self._holders.pop(record.project, None)


class SharedTurn:
    """Whose turn it is where several processes carry operations on: it is on the books until the operation is done."""

    def __init__(self, rows: TurnRows) -> None:
        self._rows = rows
        self._ours: set[str] = set()

    def take(self, record: Record) -> str:
        """As of `Turn`. Raises Unavailable when the database is away."""
        if record.id in self._ours:
            return ""
        other = self._rows.take(record.project, record.id, planned_for(record))
        if not other:
            self._ours.add(record.id)
        return other

    def give_back(self, record: Record) -> None:
        """It is about to be over; the books give the turn to another when it is."""
        self._ours.discard(record.id)


def planned_for(record: Record) -> frozenset[str]:
    """The clouds that an operation plans steps for; `EVERYWHERE` where a step says none."""
    late = [step for step in record.work.get("steps", ()) if step["facet"] == LATE]
    clouds = frozenset(str(step["args"].get("cloud", "")) for step in late)
    return EVERYWHERE if "" in clouds else clouds


class Unfolder:
    """Puts the planned steps behind the step that stands for them; `turn` is shared by all operations."""

    def __init__(self, planner: Planner, turn: Turn | SharedTurn, steady: Callable[[], float]) -> None:
        self.turn = turn
        self._planner = planner
        self._steady = steady

    def resumed(self, course: Course) -> bool:
        """Whether an operation may go on: one that has planned, in this process or one before it, needs its turn."""
        late = (course.steps[step.name] for step in course.work.steps if step.facet == LATE)
        return not any(state.settled for state in late) or not self.turn.take(course.record)

    def unfold(self, course: Course, step: Step, state: StepState) -> bool:
        """Plan the step if it is its turn; True when the course has other steps now, which are to be put on the books.

        While a request waits for an answer, a cloud that is away fails the step.
        """
        now = self._steady()
        if 0.0 < state.resume - now <= LONGEST:
            return False
        if not state.since:
            state.since, course.dirty = now, True
        other = self.turn.take(course.record)
        if other:
            pause = min(max((now - state.since) / 10, TURN_SECONDS[0]), TURN_SECONDS[1])
            self._wait(course, state, pause, f"Waiting for operation '{other}', which is changing rules.")
            return False
        state.deadline = state.deadline or now + DEADLINE
        try:
            planned = self._planner(course.record.project, step.verb, step.args)
        except (Unavailable, TooMany) as fault:
            if course.answering or now > state.deadline:
                _fail(course, step, state, fault)
            else:
                self._wait(course, state, AWAY_SECONDS, f"Waiting: {fault.message}")
            return False
        except Fault as fault:
            _fail(course, step, state, fault)
            return False
        _insert(course, step, planned)
        state.phase, course.says = Phase.DONE, ""
        return True

    def _wait(self, course: Course, state: StepState, seconds: float, says: str) -> None:
        state.resume = self._steady() + seconds
        if course.says != says:
            course.says, course.dirty = says, True


def has_planned(record: Record) -> bool:
    """Whether a step of this operation has been planned, so that it is its turn until it is over."""
    late = [step["name"] for step in record.work.get("steps", ()) if step["facet"] == LATE]
    states = record.state.get("steps", {})
    return any(states.get(name, {}).get("phase") == Phase.DONE for name in late)


def _insert(course: Course, step: Step, planned: Sequence[Step]) -> None:
    taken = sorted({each.name for each in planned} & course.steps.keys())
    if taken or len({each.name for each in planned}) != len(planned):
        raise Bug(f"Steps planned for {step.name} share a name: {', '.join(each.name for each in planned)}.")
    planned = [replace(each, optional=each.optional or step.optional) for each in planned]
    place = [each.name for each in course.work.steps].index(step.name) + 1
    steps = [*course.work.steps[:place], *planned, *course.work.steps[place:]]
    # What the request waits for is the first thing a cloud does of it.
    main = planned[0].name if planned and course.work.main == step.name else course.work.main
    course.work, course.grown = replace(course.work, steps=steps, main=main), True
    course.steps.update({each.name: StepState() for each in planned})


def _fail(course: Course, step: Step, state: StepState, fault: Fault) -> None:
    state.phase, state.error, course.dirty = Phase.FAILED, fault.to_data(), True
    if course.fault is None and not step.optional:
        course.raised = fault
