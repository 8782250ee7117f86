"""Requests of one lane get so many threads and no more; the others of that lane wait without one, or are sent away."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

STUCK = 10.0
"""Seconds after which a lane whose threads are all taken, and none given back, takes no further requests."""
LONGEST = 30.0
"""Seconds that a request waits for a thread at most."""
FAILURES = 3
"""So many 503 in a row, and a lane has one thread until something else comes: failing needs no more."""
FEW = 64
"""Requests of such a lane that may wait."""
RETRY = 5
"""Seconds after which it makes sense to come again."""

Guest = TypeVar("Guest")


class Entry(Enum):
    """What a request is told that comes to a lane."""

    GO = "go"
    WAIT = "wait"
    FULL = "full"


@dataclass(slots=True)
class _Lane(Generic[Guest]):
    taken: int = 0
    failures: int = 0
    moved: float = 0.0
    waiting: deque[tuple[float, Guest]] = field(default_factory=deque)


class Turnstile(Generic[Guest]):
    """`limit` says how many threads a lane may take now, `room` how many requests of it may wait. Safe for threads.

    A seat is taken with `enter` or `wait`, and given back with `leave`, which hands it to those who wait.
    """

    def __init__(self, limit: Callable[[], int], room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._room = room
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane[Guest]] = {}

    def enter(self, name: str) -> Entry:
        """Take a seat; or be told to wait for one, or that too many do."""
        with self._lock:
            lane = self._lanes.setdefault(name, _Lane(moved=self._clock()))
            if not lane.waiting and self._seats(lane) > 0:
                return self._seated(lane)
            stuck = self._clock() - lane.moved > STUCK
            full = len(lane.waiting) >= (FEW if lane.failures >= FAILURES else self._room)
            return Entry.FULL if stuck or full else Entry.WAIT

    def wait(self, name: str, guest: Guest) -> Entry:
        """Wait for a seat; one that was given back meanwhile is taken at once."""
        with self._lock:
            lane = self._lanes.setdefault(name, _Lane(moved=self._clock()))
            if not lane.waiting and self._seats(lane) > 0:
                return self._seated(lane)
            lane.waiting.append((self._clock(), guest))
            return Entry.WAIT

    def leave(self, name: str, *, failed: bool = False) -> list[Guest]:
        """Give a seat back, `failed`: with a 503; those who have one now and are to go on."""
        with self._lock:
            lane = self._lanes[name]
            lane.taken -= 1
            lane.moved = self._clock()
            lane.failures = lane.failures + 1 if failed else 0
            called: list[Guest] = []
            while lane.waiting and self._seats(lane) > 0:
                lane.taken += 1
                called.append(lane.waiting.popleft()[1])
            return called

    def overdue(self) -> list[Guest]:
        """Those who have waited for too long, and wait no more."""
        with self._lock:
            oldest = self._clock() - LONGEST
            return [lane.waiting.popleft()[1] for lane in self._lanes.values() for _ in range(_before(lane, oldest))]

    def empty(self) -> list[Guest]:
        """All who wait; they wait no more."""
        with self._lock:
            return [lane.waiting.popleft()[1] for lane in self._lanes.values() for _ in range(len(lane.waiting))]

    def _seats(self, lane: _Lane[Guest]) -> int:
        return (1 if lane.failures >= FAILURES else self._limit()) - lane.taken

    def _seated(self, lane: _Lane[Guest]) -> Entry:
        if not lane.taken:
            lane.moved = self._clock()
        lane.taken += 1
        return Entry.GO


def _before(lane: _Lane[Guest], moment: float) -> int:
    return sum(since < moment for since, _ in lane.waiting)
