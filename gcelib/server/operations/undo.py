"""Takes back what a failing operation has already made, the last thing first."""

from __future__ import annotations

from gcelib.server.operations.carry import Carrier
from gcelib.server.operations.patience import UNDO_DEADLINE
from gcelib.server.operations.state import Course, Phase, StepState


def take_back(course: Course, carrier: Carrier) -> bool:
    """One turn of it; True when no more can be taken back.

    What is still under way settles first. Where the outcome of a step is not known nothing is taken
    back at all: a machine that may yet come up would lose its disks and rules.
    """
    running = [step for step in course.work.steps if course.steps[step.name].sent]
    for step in running:
        carrier.carry(course, step, course.steps[step.name])
    if any(state.sent for state in course.steps.values()):
        return False
    if course.unknown:
        return True
    for step in reversed(course.work.steps):
        state = course.steps[step.name]
        if step.undo is not None and state.left:
            back = course.undo.setdefault(step.name, StepState())
            if not back.settled:
                carrier.carry(course, step.undo, back, seconds=UNDO_DEADLINE)
            if not back.settled:
                return False
            if back.phase == Phase.DONE:
                state.phase, course.dirty = Phase.UNDONE, True
    return True
