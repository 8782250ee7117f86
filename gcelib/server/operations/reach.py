"""Calls a step's cloud, or the notes in the store, with the step's stored arguments and key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gcelib.config import keys
from gcelib.drivers.base import Cloud
from gcelib.drivers.touched import kind_of
from gcelib.models import Job, JobState
from gcelib.server.operations.plan import Step
from gcelib.server.operations.state import Course, StepState, job_from_data
from gcelib.store.notes import Notes

Clouds = Callable[[str, str], Cloud]
"""(project, cloud) to the cloud with the credentials to use; raises Faults."""

NumberOf = Callable[[str, str, str], str]
"""(cloud, kind, backend id) to the decimal number a client knows the thing by."""


class Reach:
    """The three calls a step needs. What the cloud raises comes out as it is."""

    def __init__(self, clouds: Clouds, notes: Notes, number_of: NumberOf) -> None:
        self._clouds = clouds
        self._notes = notes
        self._number_of = number_of

    def submit(self, course: Course, step: Step, state: StepState) -> Job:
        """Carry out the step's write now; a note is written before this returns."""
        if step.facet == "notes":
            place = keys.place(course.record.project, state.args["place"])
            self._note(step.verb, {**state.args, "place": place})
            return Job(JobState.DONE)
        cloud = self._cloud(course, step)
        # Whatever comes of it: the answer may be lost.
        self._changed(course, step, state)
        return cloud.submit(step.facet, step.verb, state.args, state.key)

    def seek(self, course: Course, step: Step, state: StepState) -> Job | None:
        """The job or the effect of an earlier attempt; of a note never one: writing it again is the same."""
        if step.facet == "notes":
            return None
        job = self._cloud(course, step).seek(step.facet, step.verb, state.args, state.key)
        if job is not None:
            self._changed(course, step, state)
        return job

    def poll(self, course: Course, step: Step, state: StepState) -> Job:
        """How far the job is."""
        job = job_from_data(state.job or {"state": JobState.RUNNING})
        after = self._cloud(course, step).poll(job)
        if after.state is not JobState.RUNNING or after.token != job.token:
            self._changed(course, step, state)
        return after

    def name_target(self, course: Course, step: Step, state: StepState) -> None:
        """Put the number of the thing into the operation once the main step's cloud has named it."""
        if state.target and not course.record.target_id and step is course.main and course.work.target_kind:
            number = self._number_of(step.cloud, course.work.target_kind, state.target)
            course.change(target_id=number)

    def _changed(self, course: Course, step: Step, state: StepState) -> None:
        """Have the others that share the database told, with the next thing that is stored of this operation."""
        course.changes.add((keys.place(course.record.project, step.cloud), kind_of(step.facet, state.args)))
        course.dirty = True

    def _cloud(self, course: Course, step: Step) -> Cloud:
        return self._clouds(course.record.project, step.cloud)

    def _note(self, verb: str, args: dict[str, Any]) -> None:
        place, kind, id = args["place"], args["kind"], args["id"]
        if verb == "put":
            self._notes.put(place, kind, id, args["data"])
        elif verb == "merge":
            self._notes.merge(place, kind, id, args["data"])
        elif verb == "delete":
            self._notes.delete(place, kind, id)
        else:
            raise ValueError(f"notes cannot {verb}")
