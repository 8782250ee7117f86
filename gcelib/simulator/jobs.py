"""Asynchronous jobs: started, worked on step by step as time passes, and ended."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from gcelib.simulator.call import Call
from gcelib.simulator.commands import Command, Task
from gcelib.simulator.errors import ApiError, invalid
from gcelib.simulator.faults import Fault
from gcelib.simulator.records import Account, Row, Thing
from gcelib.simulator.world import World

# How long an unpolled job lasts when the delay is 0: then polling is what ends it.
UNPOLLED = 1.0
RUNNING, DONE, FAILED = 0, 1, 2


@dataclass(eq=False, kw_only=True)
class Job(Thing):
    """A job of the cloud; `resume` does its next step, and is None while it waits or hangs."""

    tag_type: ClassVar[str] = ""

    account: Account
    command: Command
    task: Task
    seconds: float
    fault: Fault | None = None
    status: int = RUNNING
    code: int = 0
    result: Row | None = None
    completed: float = 0.0
    resume: Callable[[], None] | None = None
    hasten: Callable[[Job], None]


class Jobs:
    """The job engine: jobs on one thing run one after another, those on different things side by side."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._queues: dict[str, deque[Job]] = {}

    def submit(self, call: Call, command: Command, task: Task, fault: Fault | None) -> Job:
        """Take a job on. Raises ApiError 431 for a customjobid that is no UUID or was used before."""
        job_id = self._wanted_id(call) or self.world.new_id("job")
        self.world.issued.add(job_id)
        delay = self.world.settings.job_delay
        job = Job(
            id=job_id, owner=task.on.owner, created=self.world.now(), account=call.account,
            command=command, task=task, seconds=command.seconds if delay is None else delay, fault=fault,
            hasten=self.hasten,
        )  # fmt: skip
        self.world.add(job)
        queue = self._queues.setdefault(_queue_of(job), deque())
        queue.append(job)
        if len(queue) == 1:
            self._start(job)
        return job

    def hasten(self, job: Job) -> None:
        """End the job, and those before it on the same thing, at once; only where the delay is 0."""
        if self.world.settings.job_delay != 0:
            return
        while job.status == RUNNING:
            first = self._queues[_queue_of(job)][0]
            if first.resume is None:
                return
            first.resume()

    def _wanted_id(self, call: Call) -> str:
        wanted = call.text("customjobid")
        if not wanted:
            return ""
        try:
            uuid.UUID(wanted)
        except ValueError:
            raise invalid(f"Invalid value for customjobid: {wanted} is not a UUID") from None
        if self.world.find(Job, wanted) is not None:
            raise invalid(f"A job with customjobid {wanted} exists already")
        return wanted

    def _start(self, job: Job) -> None:
        if not job.task.beside:
            job.task.on.job_id = job.id
        self._step(job)

    def _step(self, job: Job) -> None:
        job.resume = None
        try:
            share = next(job.task.body)
        except StopIteration as stop:
            self._end(job, DONE, 0, stop.value)
        except ApiError as error:
            self._fail(job, error)
        else:
            self._wait(job, share)

    def _wait(self, job: Job, share: float) -> None:
        last = share >= 0.5
        kind = job.fault.kind if last and job.fault is not None else ""
        if kind == "job_stuck":
            return
        go = self._break if kind in ("job_fail", "job_restart") else self._step

        def resume() -> None:
            if job.resume is resume:
                go(job)

        job.resume = resume
        wait = share * job.seconds if job.seconds else (UNPOLLED if last else 0.0)
        self.world.at(self.world.now() + wait, resume)

    def _break(self, job: Job) -> None:
        """End a job as its fault says: a failure that the body cleans up after, or a server's restart."""
        job.resume = None
        fault = job.fault or Fault(kind="job_fail")
        if fault.kind == "job_restart":
            self._end(job, FAILED, 530, None)
            return
        error = ApiError(fault.errorcode or 530, fault.text or "Internal error while executing the command")
        try:
            job.task.body.throw(error)
        except (ApiError, StopIteration):
            self._fail(job, error)

    def _fail(self, job: Job, error: ApiError) -> None:
        self._end(job, FAILED, error.code, {"errorcode": error.code, "errortext": error.text})

    def _end(self, job: Job, status: int, code: int, result: Row | None) -> None:
        job.status, job.code, job.result = status, code, result
        job.completed = self.world.now()
        thing = job.task.on
        if not job.task.beside:
            thing.job_id = ""
        if job.task.event:
            outcome = "Successfully completed" if status == DONE else "Error while"
            self.world.record(job.task.event, thing, f"{outcome} {job.command.name}")
        if job.fault is not None and job.fault.kind == "job_lost":
            self.world.remove(job)
        else:
            self.world.at(job.completed + self.world.settings.job_expiry, lambda: self.world.remove(job))
        queue = self._queues[_queue_of(job)]
        queue.popleft()
        if queue:
            self._start(queue[0])
        else:
            del self._queues[_queue_of(job)]


def _queue_of(job: Job) -> str:
    return job.id if job.task.beside else job.task.on.id
