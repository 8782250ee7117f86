"""Clouds seen with callers' own keys: for each pair of keys its own, so that nothing of one serves another."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from gcelib.config.keys import Holder, Keys
from gcelib.drivers.base import Cloud
from gcelib.errors import Unauthenticated, Unavailable
from gcelib.models import Job, JobState

MOST = 256
"""Pairs of keys whose clouds are kept."""
ASK_SECONDS = 15.0
"""How long the cloud's word on whose keys these are is good."""
TRUST_SECONDS = 300.0
"""How long it is good while the cloud does not answer."""
RETIRE_SECONDS = 300.0
"""How long a cloud is left open that is no longer kept: a request may still be using it."""

Build = Callable[[Keys, str], Cloud]
"""(keys, the cloud's own project or "") to a cloud with connections and remembered lists of its own."""


@dataclass(slots=True)
class _Entry:
    """One pair of keys: whose they are, when the cloud said so, and its clouds by the cloud's own project."""

    owner: str
    holder: Holder
    asked: float | None = None
    clouds: dict[str, Cloud] = field(default_factory=dict)
    asking: threading.Lock = field(default_factory=threading.Lock)


class Callers:
    """The clouds of callers, by the id of their keys; those used longest ago go first. Safe for threads."""

    def __init__(self, build: Build, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._build = build
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._retired: list[tuple[float, Cloud]] = []

    def holder(self, keys: Keys) -> Holder:
        """Whose keys these are, by what the cloud said in the last seconds.

        Raises Unauthenticated when the cloud takes them no longer, Unavailable when it has not answered for
        minutes.
        """
        entry = self._entry(keys)
        if self._age(entry) < ASK_SECONDS:
            return entry.holder
        # One asks; the others go by what is known, as long as that is not old.
        if not entry.asking.acquire(blocking=self._age(entry) > TRUST_SECONDS):
            return entry.holder
        try:
            if self._age(entry) >= ASK_SECONDS:
                entry.holder, entry.asked = self._ask(keys), self._clock()
        except Unavailable:
            if self._age(entry) > TRUST_SECONDS:
                raise
        finally:
            entry.asking.release()
        return entry.holder

    def cloud(self, keys: Keys, project: str = "") -> Cloud:
        """The cloud with these keys, inside one of its own projects (an id) or as the account itself."""
        entry = self._entry(keys)
        with self._lock:
            if project not in entry.clouds:
                entry.clouds[project] = self._build(keys, project)
            return entry.clouds[project]

    def changed(self, keys: Keys, project: str = "") -> None:
        """Have every other pair of keys of the same account ask anew: something was changed with this one."""
        with self._lock:
            others = [entry for id, entry in self._entries.items() if id != keys.id and entry.owner == keys.tenancy]
            stale = [entry.clouds[project] for entry in others if project in entry.clouds]
        for cloud in stale:
            drop = getattr(cloud, "drop", None)
            if drop is not None:
                drop()

    def forget(self, keys: Keys) -> None:
        """Keep nothing of these keys any longer."""
        with self._lock:
            entry = self._entries.pop(keys.id, None)
            self._retire(entry)

    def close(self) -> None:
        """Close every cloud."""
        with self._lock:
            kept = [cloud for entry in self._entries.values() for cloud in entry.clouds.values()]
            kept += [cloud for _, cloud in self._retired]
            self._entries.clear()
            self._retired.clear()
        for cloud in kept:
            cloud.close()

    def worker(self, keys: Keys, project: str = "") -> Cloud:
        """The cloud for changes that go on behind requests, which may have come with other keys of the account."""
        return cast(Cloud, _Worker(self.cloud(keys, project), lambda: self.changed(keys, project)))

    def __len__(self) -> int:
        return len(self._entries)

    def _ask(self, keys: Keys) -> Holder:
        found = self.cloud(keys).holder()
        if found.id != keys.holder.id:
            raise Unauthenticated(f"Cloud '{keys.cloud}' gave these keys to another account.")
        return found

    def _age(self, entry: _Entry) -> float:
        return float("inf") if entry.asked is None else self._clock() - entry.asked

    def _entry(self, keys: Keys) -> _Entry:
        with self._lock:
            entry = self._entries.get(keys.id)
            if entry is None:
                entry = self._entries[keys.id] = _Entry(keys.tenancy, keys.holder)
            self._entries.move_to_end(keys.id)
            while len(self._entries) > self._most:
                self._retire(self._entries.popitem(last=False)[1])
            gone = self._over()
        for cloud in gone:
            cloud.close()
        return entry

    def _retire(self, entry: _Entry | None) -> None:
        until = self._clock() + RETIRE_SECONDS
        self._retired += [(until, cloud) for cloud in entry.clouds.values()] if entry else []

    def _over(self) -> list[Cloud]:
        """Retired clouds whose time is up, or that are too many; the caller holds the lock and closes them after."""
        now, spare = self._clock(), len(self._retired) - self._most
        gone = [cloud for at, (until, cloud) in enumerate(self._retired) if until <= now or at < spare]
        if gone:
            self._retired = [each for each in self._retired if each[1] not in gone]
        return gone


class _Worker:
    """A cloud whose changes are told to whoever remembers lists of the same account."""

    def __init__(self, cloud: Cloud, tell: Callable[[], None]) -> None:
        self._cloud = cloud
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        try:
            return self._cloud.submit(facet, verb, args, key)
        finally:
            self._tell()

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        job = self._cloud.seek(facet, verb, args, key)
        self._tell()
        return job

    def poll(self, job: Job) -> Job:
        after = self._cloud.poll(job)
        if after.state is not JobState.RUNNING or after.token != job.token:
            self._tell()
        return after
