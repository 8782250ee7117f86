"""Clouds around clouds: `Remember` keeps lists for seconds to minutes and forgets them at our own writes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gcelib.config.keys import Holder
from gcelib.drivers import tally
from gcelib.drivers.base import FACETS, READS, Cloud, Traits
from gcelib.drivers.lists import Lists
from gcelib.drivers.touched import Touch, stale, touched
from gcelib.models import Job, JobState
from gcelib.store.generations import EVERYTHING

REMEMBERED_JOBS = 4096
LATE = 64
"""How many of a kind's last numbers are known as seen."""


class _Remembered:
    """A facet whose lists are remembered, short ones too; everything else goes straight to the cloud's own."""

    def __init__(self, cloud: Remember, name: str, facet: Any) -> None:
        self._cloud, self._name, self._facet = cloud, name, facet

    def list(self) -> Sequence[Any]:
        return self._cloud.lists.get(self._name, "list", self._cloud.seconds(self._name), self._facet.list)

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._facet, verb)
        if verb in ("find", "of", "tagged"):
            return lambda ref: self._cloud.lists.get(
                self._name, f"{verb} {ref}", self._cloud.seconds(self._name), lambda: found(ref)
            )
        if verb == "types":
            seconds = self._cloud.seconds("sizes")
            return lambda: self._cloud.lists.get(self._name, verb, seconds, found)
        if verb.startswith("_") or verb not in self._cloud.writes(self._name):
            return found
        return lambda *, key, **args: self._cloud.submit(self._name, verb, args, key)


class Remember:
    """A `Cloud` that remembers the lists of another, for one set of credentials: never share one between two.

    `seconds` per facet, "other" for those not named; 0 turns one off.
    """

    zones: Any
    sizes: Any
    images: Any
    nodes: Any
    volumes: Any
    snapshots: Any
    networks: Any
    firewalls: Any
    addresses: Any
    balancers: Any
    vpcs: Any
    routes: Any
    guards: Any
    acls: Any
    keypairs: Any
    tags: Any
    quotas: Any

    def __init__(
        self, cloud: Cloud, seconds: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name, self.provider = cloud.name, cloud.provider
        self.lists = Lists(clock)
        self._cloud = cloud
        self._seconds = dict(seconds)
        self._jobs: OrderedDict[str, Touch] = OrderedDict()
        self._seen: dict[str, deque[int]] = {}
        self._lock = threading.Lock()
        for facet in FACETS:
            own = getattr(cloud, facet)
            setattr(self, facet, None if own is None else _Remembered(self, facet, own))

    @property
    def traits(self) -> Traits:
        """The other cloud's."""
        return self._cloud.traits

    def abilities(self) -> Mapping[str, frozenset[str]]:
        """The other cloud's."""
        return self._cloud.abilities()

    def why_not(self, facet: str, verb: str) -> str:
        """The other cloud's."""
        return self._cloud.why_not(facet, verb)

    def seconds(self, facet: str) -> float:
        """How long a facet's lists are kept."""
        return self._seconds.get(facet, self._seconds.get("other", 0.0))

    def writes(self, facet: str) -> frozenset[str]:
        """The verbs of a facet that change something."""
        return self.abilities().get(facet, frozenset()) - READS

    def drop(self) -> None:
        """Forget everything."""
        self.lists.drop(frozenset(FACETS))

    def catch_up(self, numbers: Mapping[str, int]) -> None:
        """Forget what another process has changed: by kind, numbers that are new when something was.

        A request that is late may bring numbers from before others: what they tell was forgotten then.
        """
        with self._lock:
            new = {kind for kind, number in numbers.items() if number not in self._seen.get(kind, ())}
            if new:
                # Before the numbers count as seen: whoever finds them so must not find the old lists.
                self.lists.drop(frozenset(FACETS) if EVERYTHING in new else stale(*new))
            for kind in new:
                self._seen.setdefault(kind, deque(maxlen=LATE)).append(numbers[kind])

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        """Carry out one write; what it may have changed is forgotten, also when its outcome is not known."""
        touch = self._touch(facet, verb, args)
        try:
            with tally.about(facet):
                job = self._cloud.submit(facet, verb, args, key)
        finally:
            self.lists.drop(touch.facets, touch.about)
        self._note(job, touch)
        return job

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """Ask the cloud itself, never a remembered list."""
        with tally.about(facet):
            job = self._cloud.seek(facet, verb, args, key)
        if job is not None:
            touch = self._touch(facet, verb, args)
            self.lists.drop(touch.facets, touch.about)
            self._note(job, touch)
        return job

    def poll(self, job: Job) -> Job:
        """Ask the cloud; an end makes us forget what the job may have changed."""
        with tally.about("jobs"):
            after = self._cloud.poll(job)
        if after.state is JobState.RUNNING and after.token == job.token:
            return after
        with self._lock:
            # A job begun by another process, or before a restart: it may have changed anything.
            touch = self._jobs.pop(job.token, Touch(stale("images")))
        self.lists.drop(touch.facets, touch.about)
        self._note(after, touch)
        return after

    def ping(self) -> None:
        """The other cloud's."""
        self._cloud.ping()

    def holder(self) -> Holder:
        """The other cloud's."""
        return self._cloud.holder()

    def close(self) -> None:
        """Close the other cloud."""
        self._cloud.close()

    def _touch(self, facet: str, verb: str, args: Mapping[str, Any]) -> Touch:
        return touched(facet, verb, args, self.lists.kept("networks", "list") or ())

    def _note(self, job: Job, touch: Touch) -> None:
        if job.state is not JobState.RUNNING or not job.token:
            return
        with self._lock:
            self._jobs[job.token] = touch
            while len(self._jobs) > REMEMBERED_JOBS:
                self._jobs.popitem(last=False)
