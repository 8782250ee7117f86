"""Changes on clouds without jobs: sent from a thread, then watched by their visible effect."""

from __future__ import annotations

import datetime
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as TookLong
from typing import Any, ClassVar, Protocol

import msgspec
from msgspec.structs import replace

from gcelib.drivers.faults import At
from gcelib.drivers.seen import UNSEEN
from gcelib.drivers.seen import Seen as Seen
from gcelib.errors import Bug, Fault, Refused, Unavailable, Uncertain
from gcelib.models import Job, JobState

LOG = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that a change is waited for; one that takes longer is asked after, like a job."""
THREADS = 16
PATIENCE = datetime.timedelta(minutes=30)
"""How long the effect of a change is waited for."""
LOST = datetime.timedelta(minutes=10)
"""How long a thing is waited for that is to be made and cannot be seen."""
KEPT = 4096


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is needed to look again: the change, what it is about, and since when (RFC 3339) it is waited for.

    `task`: it is still being sent, by a thread of the process that has a task of this name. `patience` is how many
    seconds its effect is waited for while nothing of it can be seen, 0 for as long as any.
    """

    facet: str
    verb: str
    id: str = ""
    args: dict[str, Any] = {}
    since: str = ""
    task: str = ""
    patience: int = 0

    def text(self) -> str:
        """This token as it travels in a `Job`."""
        return msgspec.json.encode(self).decode()


class Owner(Protocol):
    """A facet, as far as its changes are watched: `seen` only looks, `pursue` may send what comes next as well.

    `once` are the verbs that are never sent again: the cloud would make another thing.
    """

    once: ClassVar[frozenset[str]]

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None: ...

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None: ...


def reached(there: bool, target: str, **result: object) -> Seen | None:
    """The effect of a change that is there or not."""
    return Seen(JobState.DONE, target, {"id": target, **result}) if there else None


def under_way(target: str = "") -> Seen:
    """A change that the cloud is at work on."""
    return Seen(JobState.RUNNING, target)


class Effects:
    """Sends changes and watches them. `owners` is filled by the cloud that has both."""

    def __init__(self, at: At, grace: float = GRACE) -> None:
        self.at = at
        self.owners: dict[str, Owner] = {}
        self._grace = grace
        self._lock = threading.Lock()
        self._tasks: OrderedDict[str, Future[Job]] = OrderedDict()
        self._slots = threading.BoundedSemaphore(THREADS)
        self._closed = False

    def send(self, facet: str, verb: str, args: Mapping[str, Any], key: str, work: Callable[[], Job]) -> Job:
        """Have a thread do the work: its job, or one that tells it is still being sent. Raises what it raises."""
        task: Future[Job] = Future()
        with self._lock:
            if self._closed:
                raise Unavailable(f"{self.at} is being closed; nothing was sent. Try again.", retry_after=1)
            self._tasks[key] = task
            while len(self._tasks) > KEPT and next(iter(self._tasks.values())).done():
                self._tasks.popitem(last=False)
        # Not of a pool, whose threads keep the process from ending for as long as a cloud lets them hang.
        threading.Thread(target=self._do, args=(task, work), name=f"change {self.at.cloud}", daemon=True).start()
        try:
            job = task.result(self._grace)
        except TookLong:
            return self.begun(replace_task(self.token(facet, verb, args, str(args.get("id", ""))), key))
        except BaseException:
            self._forget(key)
            raise
        self._forget(key)
        return job

    def token(self, facet: str, verb: str, args: Mapping[str, Any], target: str, patience: int = 0) -> Token:
        """The token of a change begun now."""
        kept = {name: value for name, value in args.items() if name not in UNSEEN}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        if not patience and verb in self.owners[facet].once:
            patience = LOST.seconds
        return Token(facet, verb, id=target, args=kept, since=now, patience=patience)

    def begun(self, token: Token) -> Job:
        """A change that is under way."""
        return Job(JobState.RUNNING, token=token.text(), target=token.id)

    def poll(self, job: Job) -> Job:
        """How far a change is: whether it has been sent, then whether its effect can be seen."""
        if job.state is not JobState.RUNNING or not job.token:
            return job
        try:
            token = msgspec.json.decode(job.token, type=Token)
        except msgspec.MsgspecError:
            fault = Refused(f"{self.at}: this change was begun by another kind of cloud.")
            return replace(job, state=JobState.FAILED, token="", error=fault.to_data())
        if token.task:
            with self._lock:
                task = self._tasks.get(token.task)
            if task is not None:
                return self._sent(job, token, task)
        return self._watched(job, token)

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """An earlier attempt: still being sent, or seen by its effect; None when there is no trace of it.

        What must not be sent twice is waited for instead: its answer is lost, and it may still come.
        """
        with self._lock:
            task = self._tasks.get(key)
        token = self.token(facet, verb, args, str(args.get("id", "")))
        if task is not None and not task.done():
            return self.begun(replace_task(token, key))
        seen = self.owners[facet].seen(verb, {**args, "key": key}, token.id)
        if seen is None and verb in self.owners[facet].once:
            return self.begun(token)
        return None if seen is None else self._as_job(seen, msgspec.structs.replace(token, id=seen.target or token.id))

    def close(self) -> None:
        """Start nothing more; what is being sent has a moment to be answered."""
        with self._lock:
            self._closed = True
            tasks = list(self._tasks.values())
        wait(tasks, self._grace)

    def _do(self, task: Future[Job], work: Callable[[], Job]) -> None:
        with self._slots:
            if self._closed:
                task.set_exception(Unavailable(f"{self.at} is being closed; nothing was sent.", retry_after=1))
                return
            try:
                task.set_result(work())
            except BaseException as exc:
                task.set_exception(exc)

    def _sent(self, job: Job, token: Token, task: Future[Job]) -> Job:
        if not task.done():
            return job
        self._forget(token.task)
        try:
            return task.result()
        except Uncertain:
            return self.begun(msgspec.structs.replace(token, task=""))
        except Fault as fault:
            return replace(job, state=JobState.FAILED, token="", error=fault.to_data())
        except Exception as exc:
            LOG.exception("a change of %s broke", self.at)
            bug = Bug(f"gcelib broke at {token.facet}.{token.verb} on {self.at} ({type(exc).__name__}).")
            return replace(job, state=JobState.FAILED, token="", error=bug.to_data())

    def _watched(self, job: Job, token: Token) -> Job:
        seen = self.owners[token.facet].pursue(token.verb, token.args, token.id)
        if seen is not None and seen.state is not JobState.RUNNING:
            return self._as_job(seen, token)
        if seen is not None and seen.target and not job.target:
            job = replace(job, target=seen.target)
        patience = token.patience if seen is None and token.patience else PATIENCE.seconds
        waited = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(token.since)
        if waited.total_seconds() < patience:
            return job
        fault = Refused(
            f"{self.at} was sent {token.facet}.{token.verb}, and no effect of it has been seen for {patience} seconds: "
            "whether it was carried out is not known. Look at the resource, and ask again if it is not as wanted."
        )
        return replace(job, state=JobState.FAILED, token="", error=fault.to_data())

    def _as_job(self, seen: Seen, token: Token) -> Job:
        if seen.state is JobState.RUNNING:
            return self.begun(msgspec.structs.replace(token, id=seen.target or token.id))
        error = seen.error.to_data() if seen.error is not None else None
        target = seen.target or token.id
        return Job(seen.state, target=target, result={"id": target, **seen.result}, error=error)

    def _forget(self, key: str) -> None:
        with self._lock:
            self._tasks.pop(key, None)


def replace_task(token: Token, key: str) -> Token:
    """The token of a change that is still being sent."""
    return msgspec.structs.replace(token, task=key)
