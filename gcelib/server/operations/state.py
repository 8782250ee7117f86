"""How far an operation is: the state of each step, stored with the operation at every turn."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gcelib.errors import Canceled, Fault, fault_from_data
from gcelib.models import Job, JobState
from gcelib.server.operations.patience import GRACE
from gcelib.server.operations.plan import CAME, Step, Work, came, work_from_data, work_to_data
from gcelib.store.backup import RESTORED
from gcelib.store.records import Record


class Phase(enum.StrEnum):
    """Where a step is. SUBMITTING is on the books before the cloud is called, SUBMITTED after it took it."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    SKIPPED = "skipped"


@dataclass(slots=True)
class StepState:
    """One step's course.

    `args` are the resolved arguments of the first attempt, used again by every later one. `doubt`: an attempt
    was sent and its outcome is not known. `unknown`: it failed, and nobody knows whether it happened.
    `looks` counts seeks since the last attempt, `misses` answers in a row that made no sense. `resume` is the
    time before which nothing is to be tried again.
    """

    phase: Phase = Phase.WAITING
    key: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    job: dict[str, Any] | None = None
    target: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    since: float = 0.0
    deadline: float = 0.0
    resume: float = 0.0
    tries: int = 0
    looks: int = 0
    misses: int = 0
    doubt: bool = False
    unknown: bool = False

    @property
    def settled(self) -> bool:
        """True when nothing more will happen in this step by itself."""
        return self.phase in (Phase.DONE, Phase.FAILED, Phase.UNDONE, Phase.SKIPPED)

    @property
    def sent(self) -> bool:
        """True while the cloud has, or may have, something of it under way."""
        return self.phase in (Phase.SUBMITTING, Phase.SUBMITTED)

    @property
    def left(self) -> bool:
        """True when the step left something on the cloud; a failed one did where the cloud named it."""
        return self.phase == Phase.DONE or (self.phase == Phase.FAILED and bool(self.target) and not self.unknown)

    def to_data(self) -> dict[str, Any]:
        """This state as JSON values, without what is still at its default."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        blank = StepState()
        return {name: value for name, value in values.items() if value != getattr(blank, name)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> StepState:
        """The state that `to_data` described."""
        values = dict(data)
        values["phase"] = Phase(values.get("phase", Phase.WAITING))
        return cls(**values)


@dataclass(slots=True)
class Course:
    """An operation under way: its record, its work, and how far each step is.

    `fault` is why it fails, once a step has failed; from then on steps are only taken back. `failed_step`
    names that step. `refused`: the request itself was answered with the fault. `says` tells people why
    nothing moves. `restored`: it comes from a backup, and what was done since then is not on the books. The rest is
    not stored: `answering` while a request waits for the main step, `raised` the
    fault itself, `dirty` when the stored state is behind, `grown` when the stored work is, `looked` when it was last
    looked at, `kept` when it was last stored, `changes` what it changed on clouds since then, as (place, kind).
    """

    record: Record
    work: Work
    steps: dict[str, StepState]
    undo: dict[str, StepState]
    fault: dict[str, Any] | None = None
    failed_step: str = ""
    refused: bool = False
    says: str = ""
    restored: bool = False
    answering: bool = False
    raised: Fault | None = None
    dirty: bool = False
    grown: bool = False
    looked: float = 0.0
    kept: float = 0.0
    changes: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, record: Record) -> Course:
        """The course of a stored operation. What was being submitted when it was stored is in doubt."""
        state = record.state
        work = work_from_data(record.work)
        steps = _states(state.get("steps", {}))
        for step in work.steps:
            steps.setdefault(step.name, StepState())
        work = replace(work, **{name: state.get(name, "") for name in CAME})
        course = cls(record, work, steps, _states(state.get("undo", {})), state.get("fault"))
        course.failed_step = state.get("failed_step", "")
        course.refused = state.get("refused", False)
        course.says = state.get("says", "")
        course.restored = state.get(RESTORED, False)
        for each in (*course.steps.values(), *course.undo.values()):
            each.doubt = each.doubt or each.phase == Phase.SUBMITTING
        return course

    @property
    def done(self) -> bool:
        """True when the operation is over."""
        return self.record.done

    @property
    def main(self) -> Step | None:
        """The step whose acceptance answers the request: the one named, else the first on a cloud.

        None when there is nothing to do at all.
        """
        for step in self.work.steps:
            if step.name == self.work.main:
                return step
        on_a_cloud = [step for step in self.work.steps if step.cloud and not step.optional]
        return next(iter((*on_a_cloud, *self.work.steps)), None)

    @property
    def answered(self) -> bool:
        """True once a cloud has accepted the main step."""
        main = self.main
        return main is None or self.steps[main.name].phase in (Phase.SUBMITTED, Phase.DONE)

    @property
    def refusable(self) -> bool:
        """True when the operation fails at or before its main step, so that the fault can be the answer."""
        for step in self.work.steps:
            if step.name == self.failed_step:
                return True
            if step is self.main:
                return False
        return False

    @property
    def unknown(self) -> bool:
        """True when nobody knows of a step whether it happened."""
        return any(state.unknown for state in self.steps.values())

    def key(self, step: Step, state: StepState) -> str:
        """A step's key to its cloud: the same whoever carries it out, also from a backup of before it was sent."""
        # What takes steps back may be called the same for several of them.
        taken_back = next((name for name, each in self.undo.items() if each is state), "")
        name = f"undo {taken_back}" if taken_back else step.name
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.record.id}/{name}"))

    def cancel(self) -> None:
        """Fail, because somebody wants it cancelled: from now on steps are only taken back."""
        fault = Canceled(f"{self.record.canceller} cancelled this operation before it was done.")
        names = [step.name for step in self.work.steps]
        self.failed_step = next((name for name in names if not self.steps[name].settled), names[-1] if names else "")
        self.fault, self.raised, self.says, self.dirty = fault.to_data(), fault, "", True
        self.refused = self.answering and self.refusable

    def change(self, **values: Any) -> None:
        """Replace fields of the record."""
        self.record = replace(self.record, **values)
        self.dirty = True

    def snapshot(self, *, bare: bool = False) -> None:
        """Put the state into the record; `bare` leaves out the arguments, which may hold a user's secrets."""
        state: dict[str, Any] = {
            "steps": {name: _kept(each, bare) for name, each in self.steps.items()},
            "undo": {name: _kept(each, bare) for name, each in self.undo.items()},
        }
        for name in ("fault", "failed_step", "refused", "says", RESTORED):
            if getattr(self, name):
                state[name] = getattr(self, name)
        state |= came(self.work)
        self.record = replace(self.record, state=state)
        if bare:
            self.record = replace(self.record, work=work_to_data(_bare(self.work)))


def believe(state: StepState, now: float, seconds: float) -> None:
    """Bring stored times into reason. Whoever wrote them may have had another clock, and nobody may have looked since:

    a step has its `seconds` from now at most, and `GRACE` at least, so that its cloud is asked before it is given up.
    """
    state.since = min(state.since, now)
    if state.deadline:
        state.deadline = min(max(state.deadline, now + GRACE), now + seconds)


def job_to_data(job: Job) -> dict[str, Any]:
    """A job as JSON values; `job_from_data` reads it back."""
    return {
        "state": str(job.state),
        "token": job.token,
        "target": job.target,
        "result": dict(job.result),
        "error": None if job.error is None else dict(job.error),
    }


def job_from_data(data: Mapping[str, Any]) -> Job:
    """The job that `job_to_data` described."""
    return Job(**{**data, "state": JobState(data["state"])})


def stored_fault(course: Course) -> Fault:
    """Why the operation failed, as the fault itself where this process saw it happen."""
    return course.raised if course.raised is not None else fault_from_data(course.fault or {})


def _states(data: Mapping[str, Any]) -> dict[str, StepState]:
    return {name: StepState.from_data(each) for name, each in data.items()}


def _kept(state: StepState, bare: bool) -> dict[str, Any]:
    data = state.to_data()
    if bare:
        data.pop("args", None)
    return data


def _bare(work: Work) -> Work:
    steps = tuple(
        replace(step, args={}, undo=None if step.undo is None else replace(step.undo, args={}))
        for step in work.steps
    )
    return replace(work, steps=steps)
