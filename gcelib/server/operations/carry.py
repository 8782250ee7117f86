"""Carries one step a little further: send it, look for one whose outcome is in doubt, ask how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gcelib.errors import Bug, Fault, NoCapacity, Refused, TooMany, Unavailable, Uncertain, fault_from_data
from gcelib.models import Job, JobState
from gcelib.server.operations.lines import turn
from gcelib.server.operations.patience import ATTEMPTS, LONGEST, LOOKS, MISSES, STALE, Cooling, deadline_for
from gcelib.server.operations.plan import Step
from gcelib.server.operations.reach import Reach
from gcelib.server.operations.resolve import NotYet, resolved
from gcelib.server.operations.state import Course, Phase, StepState, job_to_data
from gcelib.server.operations.words import doing, unknown

log = logging.getLogger("gcelib.operations")


class Carrier:
    """Does for a step what its phase asks for, with at most a few calls to its cloud, and never sleeps.

    `save` puts the course on the books; nothing is sent before that. What goes wrong with a cloud ends up
    in the step's state; only what `save` raises comes out. Deadlines and pauses are measured on `steady`,
    which nobody can set; `clock` tells what time it is.
    """

    def __init__(
        self,
        reach: Reach,
        save: Callable[[Course], None],
        clock: Callable[[], float],
        steady: Callable[[], float],
        cooling: Cooling,
    ) -> None:
        self._reach = reach
        self._save = save
        self._clock = clock
        self._steady = steady
        self._cooling = cooling

    def carry(
        self, course: Course, step: Step, state: StepState, *, patient: bool = True, seconds: float = 0.0
    ) -> None:
        """One turn. Not `patient`: a cloud that is away fails the step instead of making it wait.

        `seconds` is how long the step may take in all, if not what its verb usually may.
        """
        now = self._steady()
        if 0.0 < state.resume - now <= LONGEST:
            return
        if patient and self._rests(course, step, state, now):
            state.deadline = state.deadline or now + (seconds or deadline_for(step))
            return
        with turn(course, step, state, self._steady), self._cooling.calling(step.cloud if patient else ""):
            self._turn(course, step, state, now, patient, seconds)

    def _turn(
        self, course: Course, step: Step, state: StepState, now: float, patient: bool, seconds: float
    ) -> None:
        if state.phase == Phase.WAITING:
            if self._prepare(course, step, state, now, seconds or deadline_for(step)):
                if course.restored:
                    # Since the backup it may have been sent, and done.
                    state.doubt = True
                    self._look(course, step, state)
                else:
                    self._send(course, step, state, patient)
        elif state.phase == Phase.SUBMITTING:
            self._look(course, step, state)
        elif state.phase == Phase.SUBMITTED:
            self._poll(course, step, state)

    def _rests(self, course: Course, step: Step, state: StepState, now: float) -> bool:
        """True when the cloud is left alone, or others are calling it; past its deadline a step asks all the same."""
        if not step.cloud or (state.deadline and now > state.deadline):
            return False
        remaining = self._cooling.remaining(course.record.project, step.cloud) or self._cooling.crowded(step.cloud)
        if remaining:
            state.resume = now + remaining
            self._say(course, self._cooling.words(course.record.project, step.cloud))
        return remaining > 0

    def _prepare(self, course: Course, step: Step, state: StepState, now: float, seconds: float) -> bool:
        """Put on the books that this is about to be sent; False when it cannot be yet, or ever."""
        if not state.key:
            try:
                state.args = resolved(step.args, course.steps, self._clock())
            except NotYet:
                state.resume = now + 0.1
                return False
            except Bug as fault:
                self._fail(course, step, state, fault)
                return False
            state.key = course.key(step, state)
        if not state.tries:
            state.since, state.deadline = now, now + seconds
        if course.record.start_time is None:
            course.change(status="RUNNING", start_time=max(self._clock(), course.record.insert_time))
        self._announce(course, state)
        return True

    def _announce(self, course: Course, state: StepState) -> None:
        """Put on the books that this is about to be sent. What cannot be put there is not sent, and was no attempt."""
        before = state.phase
        state.phase, state.tries = Phase.SUBMITTING, state.tries + 1
        try:
            self._save(course)
        except BaseException:
            state.phase, state.tries = before, state.tries - 1
            raise

    def _send(self, course: Course, step: Step, state: StepState, patient: bool) -> None:
        if self._steady() - course.kept > STALE:
            # This process stood still since it was put on the books: another may have it by now. The next turn looks.
            log.warning("operation %s: step %s waits, this process stood still", course.record.name, step.name)
            return
        try:
            job = self._reach.submit(course, step, state)
        except Uncertain as fault:
            state.doubt, state.looks, state.error = True, 0, fault.to_data()
            state.resume = self._steady() + LOOKS[0]
            course.dirty = True
        except NoCapacity as fault:
            self._refused(course, step, state, fault)
        except (Unavailable, TooMany) as fault:
            self._unsent(course, step, state, fault, patient)
        except Fault as fault:
            self._refused(course, step, state, fault)
        except Exception as error:
            self._stumbled(course, step, state, error)
        else:
            self._cooling.answered(course.record.project, step.cloud)
            self._accept(course, step, state, job)

    def _unsent(self, course: Course, step: Step, state: StepState, fault: Fault, patient: bool) -> None:
        """The cloud is away and has not heard of this attempt."""
        if not patient or self._steady() > state.deadline:
            # An earlier attempt may have got through: then nobody knows.
            self._fail(course, step, state, fault, unknown=state.doubt)
            return
        if not state.doubt:
            state.phase = Phase.WAITING
        state.looks = 0
        self._hidden(course, step, state, fault)

    def _refused(self, course: Course, step: Step, state: StepState, fault: Fault) -> None:
        """The cloud said no. To a second attempt it may say so because the first one got through."""
        self._cooling.answered(course.record.project, step.cloud)
        if state.doubt:
            try:
                job = self._reach.seek(course, step, state)
            except Exception:
                log.warning("operation %s: step %s is refused and in doubt", course.record.name, step.name)
                self._fail(course, step, state, fault, unknown=True)
                return
            if job is not None:
                self._accept(course, step, state, job)
                return
        self._fail(course, step, state, fault)

    def _stumbled(self, course: Course, step: Step, state: StepState, error: Exception) -> None:
        """Our own code broke while sending: see whether the cloud got it, and do not send it again."""
        log.exception("operation %s: step %s broke", course.record.name, step.name)
        bug = Bug(f"gcelib broke at {doing(step)} ({type(error).__name__}). Its log says where.")
        try:
            job = self._reach.seek(course, step, state)
        except Exception:
            log.exception("operation %s: step %s cannot be looked for", course.record.name, step.name)
            self._fail(course, step, state, bug, unknown=True)
            return
        if job is None:
            self._fail(course, step, state, bug)
        else:
            self._accept(course, step, state, job)

    def _look(self, course: Course, step: Step, state: StepState) -> None:
        """Find out whether an attempt got through; after some looks in vain send it once more."""
        if step.facet == "notes":
            # A note is the same however often it is written, unless another process has gone on meanwhile.
            self._save(course)
            self._send(course, step, state, True)
            return
        late = self._steady() > state.deadline
        try:
            job = self._reach.seek(course, step, state)
        except (Unavailable, TooMany) as fault:
            self._unanswered(course, step, state, fault, late)
        except Exception as error:
            self._missed(course, step, state, error)
        else:
            self._cooling.answered(course.record.project, step.cloud)
            self._found(course, step, state, job, late)

    def _unanswered(
        self, course: Course, step: Step, state: StepState, fault: Unavailable | TooMany, late: bool
    ) -> None:
        """The cloud does not say now: ask again later, while the step still has time."""
        if late:
            self._fail(course, step, state, unknown(step, state, fault.message), unknown=True)
        else:
            self._hidden(course, step, state, fault)

    def _found(self, course: Course, step: Step, state: StepState, job: Job | None, late: bool) -> None:
        course.dirty = True
        if job is not None:
            self._accept(course, step, state, job)
        elif state.looks < len(LOOKS) and not late:
            state.resume = self._steady() + LOOKS[state.looks]
            state.looks += 1
        elif state.tries >= ATTEMPTS or late:
            words = str((state.error or {}).get("message", "The cloud shows no trace of it."))
            self._fail(course, step, state, unknown(step, state, words), unknown=True)
        else:
            state.looks = 0
            self._announce(course, state)
            self._send(course, step, state, True)

    def _poll(self, course: Course, step: Step, state: StepState) -> None:
        late = self._steady() > state.deadline
        try:
            job = self._reach.poll(course, step, state)
        except (Unavailable, TooMany) as fault:
            self._unanswered(course, step, state, fault, late)
        except Exception as error:
            self._missed(course, step, state, error)
        else:
            self._cooling.answered(course.record.project, step.cloud)
            state.misses = 0
            self._accept(course, step, state, job)
            if late and not state.settled:
                words = "The cloud still says that it is working on it."
                self._fail(course, step, state, unknown(step, state, words), unknown=True)

    def _accept(self, course: Course, step: Step, state: StepState, job: Job) -> None:
        """Take over what the cloud says of the job."""
        before = (state.phase, state.target, state.job)
        state.target = job.target or state.target
        state.result = {**state.result, **job.result}
        state.job = job_to_data(job)
        state.doubt, state.error, state.looks = False, None, 0
        if course.says:
            course.says, course.dirty = "", True
        self._reach.name_target(course, step, state)
        if job.state == JobState.FAILED:
            words = Refused(f"Cloud '{step.cloud}' gave up {doing(step)} without saying why.").to_data()
            self._fail(course, step, state, fault_from_data(dict(job.error or words)))
            return
        state.phase = Phase.DONE if job.state == JobState.DONE else Phase.SUBMITTED
        course.dirty = course.dirty or before != (state.phase, state.target, state.job)
        if state.phase == Phase.SUBMITTED and before[0] != Phase.SUBMITTED:
            self._save(course)

    def _hidden(self, course: Course, step: Step, state: StepState, fault: Fault) -> None:
        """The cloud is away: the operation keeps running and says so."""
        pause = self._cooling.failed(course.record.project, step.cloud, fault.message)
        asked = float(fault.retry_after) if isinstance(fault, TooMany) else 0.0
        state.resume = self._steady() + min(max(pause, asked), LONGEST)
        self._say(course, fault.message)

    def _say(self, course: Course, words: str) -> None:
        """Have the operation tell what it waits for."""
        says = f"Waiting: {words}"
        if words and course.says != says:
            course.says, course.dirty = says, True

    def _missed(self, course: Course, step: Step, state: StepState, error: Exception) -> None:
        """The cloud, or our reading of it, makes no sense: a few times more, then the outcome is unknown."""
        log.warning("operation %s: no sense in step %s", course.record.name, step.name, exc_info=error)
        state.misses += 1
        if state.misses < MISSES:
            state.resume = self._steady() + 2.0 ** (state.misses - 1)
            return
        job = self._effect(course, step, state) if state.phase == Phase.SUBMITTED else None
        if job is not None and job.state == JobState.DONE:
            self._accept(course, step, state, job)
            return
        words = error.message if isinstance(error, Fault) else f"gcelib broke ({type(error).__name__})."
        honest = unknown(step, state, words)
        fault = honest if isinstance(error, Fault) else Bug(honest.message)
        self._fail(course, step, state, fault, unknown=True)

    def _effect(self, course: Course, step: Step, state: StepState) -> Job | None:
        try:
            return self._reach.seek(course, step, state)
        except Exception as error:
            about = (course.record.name, step.name)
            log.warning("operation %s: step %s cannot be looked for", *about, exc_info=error)
            return None

    def _fail(
        self, course: Course, step: Step, state: StepState, fault: Fault, *, unknown: bool = False
    ) -> None:
        state.phase, state.error, state.unknown = Phase.FAILED, fault.to_data(), unknown
        course.dirty = True
        if course.fault is None and not step.optional:
            course.raised = fault
