"""Changes on clouds without jobs: sent from a thread, then watched by their visible effect."""

from __future__ import annotations

import datetime
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookLong
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from gcelib.drivers.faults import At
from gcelib.drivers.seen import UNSEEN
from gcelib.drivers.seen import Seen as Seen
from gcelib.errors import Bug, Fault, Refused, Uncertain
from gcelib.models import Job, JobState

LOG = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that a change is waited for; one that takes longer is asked after, like a job."""
THREADS = 16
PATIENCE = datetime.timedelta(minutes=30)
"""How long the effect of a change is waited for."""
KEPT = 4096


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is needed to look again: the change, what it is about, and since when (RFC 3339) it is waited for.

    `task`: it is still being sent, by a thread of the process that has a task of this name.
    """

    facet: str
    verb: str
    id: str = ""
    args: dict[str, Any] = {}
    since: str = ""
    task: str = ""

    def text(self) -> str:
        """This token as it travels in a `Job`."""
        return msgspec.json.encode(self).decode()


class Owner(Protocol):
    """A facet, as far as its changes are watched: `seen` only looks, `pursue` may send what comes next as well."""

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
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"changes-{at.cloud}")

    def send(self, facet: str, verb: str, args: Mapping[str, Any], key: str, work: Callable[[], Job]) -> Job:
        """Have a thread do the work: its job, or one that tells it is still being sent. Raises what it raises."""
        with self._lock:
            task = self._tasks[key] = self._pool.submit(work)
            while len(self._tasks) > KEPT and next(iter(self._tasks.values())).done():
                self._tasks.popitem(last=False)
        try:
            job = task.result(self._grace)
        except TookLong:
            return self.begun(replace_task(self.token(facet, verb, args, str(args.get("id", ""))), key))
        except BaseException:
            self._forget(key)
            raise
        self._forget(key)
        return job

    def token(self, facet: str, verb: str, args: Mapping[str, Any], target: str) -> Token:
        """The token of a change begun now."""
        kept = {name: value for name, value in args.items() if name not in UNSEEN}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return Token(facet, verb, id=target, args=kept, since=now)

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
        """An earlier attempt: still being sent, or seen by its effect; None when there is no trace of it."""
        with self._lock:
            task = self._tasks.get(key)
        token = self.token(facet, verb, args, str(args.get("id", "")))
        if task is not None and not task.done():
            return self.begun(replace_task(token, key))
        seen = self.owners[facet].seen(verb, {**args, "key": key}, token.id)
        return None if seen is None else self._as_job(seen, msgspec.structs.replace(token, id=seen.target or token.id))

    def close(self) -> None:
        """Start nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

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
        if datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(token.since) < PATIENCE:
            return job
        fault = Refused(
            f"{self.at} took {token.facet}.{token.verb}, and no effect of it has been seen for "
            f"{PATIENCE.seconds // 60} minutes; look at the resource and ask again if it is not as wanted."
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
