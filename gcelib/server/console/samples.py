"""The figures of the last hour and day: our own metrics, read every ten seconds into rings of a fixed size."""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gcelib.errors import Fault, Unavailable

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two samples."""
COARSE = 30
"""Every so many samples one is kept for a day."""
HOUR, DAY = 361, 289
"""How many are kept of each."""

_REQUESTS, _CALLS = "gcelib_requests_total", "gcelib_cloud_calls_total"


class Registry(Protocol):
    """As much of Prometheus' registry as is read."""

    def restricted_registry(self, names: Iterable[str]) -> Any:
        """One with these metrics only."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where figures come from: what is counted; how many requests took at most so many seconds; looks at remembered
    lists by (facet, outcome); open operations, which may raise Unavailable. Nothing here calls a cloud."""

    registry: Registry
    taken: Callable[[], Sequence[tuple[float, float]]]
    lookups: Callable[[], Mapping[tuple[str, str], int]]
    open: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals since the process began, at one time. `requests` by the first digit of their status; `buckets` are
    (seconds, how many requests took at most that); `asked` are looks at remembered lists for which a cloud was asked,
    `known` all others; `open` how many operations are not done, None where the store did not say."""

    when: float
    requests: Mapping[str, float]
    buckets: Sequence[tuple[float, float]]
    calls: float
    failed_calls: float
    known: float
    asked: float
    open: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """What went on between two readings: requests and calls a second, by class of status and by outcome; seconds that
    half and 95 of 100 requests took at most; the share of lists that needed no call. None where nothing went on."""

    when: float
    requests: Mapping[str, float]
    median: float | None
    slow: float | None
    calls: float
    failed_calls: float
    known: float | None
    open: float | None


class Samples:
    """Reads them in a thread of its own between `start` and `stop`; `beside` is called after each reading."""

    def __init__(
        self, sources: Sources, *, beside: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.time
    ) -> None:
        self._sources = sources
        self._beside = beside
        self._clock = clock
        self._fine: deque[Reading] = deque(maxlen=HOUR)
        self._coarse: deque[Reading] = deque(maxlen=DAY)
        self._taken = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="samples", daemon=True)

    def start(self) -> None:
        """Take a sample now and then."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def take(self) -> None:
        """One sample."""
        reading = read(self._sources, self._clock())
        self._fine.append(reading)
        if self._taken % COARSE == 0:
            self._coarse.append(reading)
        self._taken += 1

    def hour(self) -> list[Point]:
        """The last hour, oldest first."""
        return list(points([*self._fine]))

    def day(self) -> list[Point]:
        """The last day, oldest first, up to now."""
        readings = [*self._coarse]
        last = [*self._fine][-1:]
        return list(points(readings + [each for each in last if not readings or each.when > readings[-1].when]))

    def lately(self) -> Point | None:
        """The last minute as one; None before there are two samples."""
        readings = [*self._fine][-7:]
        return next(points([readings[0], readings[-1]]), None) if len(readings) > 1 else None

    def _work(self) -> None:
        while True:
            try:
                self.take()
                self._beside()
            except Fault as fault:
                log.debug("no sample was taken: %s", fault.message)
            except Exception:
                log.exception("taking a sample broke")
            if self._stopping.wait(EVERY):
                return


def read(sources: Sources, now: float) -> Reading:
    """The totals as they are now."""
    requests: Counter[str] = Counter()
    calls: Counter[bool] = Counter()
    for sample in _samples(sources.registry, _REQUESTS, _CALLS):
        labels = sample.labels
        if sample.name == _REQUESTS:
            requests[labels["status"][:1]] += sample.value
        else:
            calls[labels["outcome"] == "ok"] += sample.value
    lookups: Counter[bool] = Counter()
    for (_, outcome), number in sources.lookups().items():
        lookups[outcome == "miss"] += number
    return Reading(
        now, dict(requests), sources.taken(), calls.total(), calls[False], lookups[False], lookups[True],
        _open(sources),
    )


def _open(sources: Sources) -> float | None:
    try:
        return sources.open()
    except Unavailable:
        return None


def _samples(registry: Registry, *names: str) -> Iterator[Any]:
    for family in registry.restricted_registry(names).collect():
        yield from family.samples


def points(readings: Sequence[Reading]) -> Iterator[Point]:
    """What went on between each reading and the next."""
    for before, after in itertools.pairwise(readings):
        seconds = max(0.001, after.when - before.when)
        requests = {
            kind: (total - before.requests.get(kind, 0.0)) / seconds for kind, total in after.requests.items()
        }
        then = dict(before.buckets)
        took = [(most, total - then.get(most, 0.0)) for most, total in after.buckets]
        known, looks = after.known - before.known, after.known - before.known + after.asked - before.asked
        yield Point(
            after.when, requests, quantile(took, 0.5), quantile(took, 0.95), (after.calls - before.calls) / seconds,
            (after.failed_calls - before.failed_calls) / seconds, known / looks if looks else None,
            after.open,
        )


def quantile(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    """The seconds that this share took at most, as Prometheus reckons it from cumulative counts; None for no count."""
    whole = buckets[-1][1] if buckets else 0.0
    if whole <= 0:
        return None
    wanted = share * whole
    below, least = 0.0, 0.0
    for most, total in buckets:
        if total >= wanted:
            if math.isinf(most):
                return least
            return least + (most - least) * (wanted - below) / (total - below) if total > below else most
        below, least = total, most
    return least
