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
"""So many failures in a row, and a lane has one thread until something else comes: failing needs no more."""
PAUSE = 0.02
"""Seconds between two requests of such a lane."""
FEW = 8
"""Requests of such a lane that may wait."""
TICK = 40
"""How many are sent away at a time, ten times a second: saying no to a crowd must not cost the others their answers."""
MOST = 2000
"""How many may wait for that."""
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
        self._refused: deque[Guest] = deque()

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

    def refuse(self, guest: Guest) -> bool:
        """Have it sent away when its turn comes; False when it is to be done now, too many wait for that as well."""
        with self._lock:
            if len(self._refused) < MOST:
                self._refused.append(guest)
                return True
            return False

    def leave(self, name: str, *, failed: bool = False) -> list[Guest]:
        """Give a seat back, `failed`: with nothing but a 503; those who have one now and are to go on."""
        with self._lock:
            lane = self._lanes[name]
            lane.taken -= 1
            lane.moved = self._clock()
            lane.failures = lane.failures + 1 if failed else 0
            return self._called(lane)

    def tick(self) -> tuple[list[Guest], list[Guest]]:
        """Those who have a seat now and are to go on, and those who are to be sent away."""
        with self._lock:
            called = [guest for lane in self._lanes.values() for guest in self._called(lane)]
            oldest = self._clock() - LONGEST
            for lane in self._lanes.values():
                while lane.waiting and lane.waiting[0][0] < oldest:
                    self._refused.append(lane.waiting.popleft()[1])
            return called, [self._refused.popleft() for _ in range(min(TICK, len(self._refused)))]

    def waiting(self) -> int:
        """How many wait for a seat, or to be sent away."""
        with self._lock:
            return len(self._refused) + sum(len(lane.waiting) for lane in self._lanes.values())

    def empty(self) -> list[Guest]:
        """All who wait; they wait no more."""
        with self._lock:
            left = [*self._refused, *(guest for lane in self._lanes.values() for _, guest in lane.waiting)]
            self._refused.clear()
            for lane in self._lanes.values():
                lane.waiting.clear()
            return left

    def _called(self, lane: _Lane[Guest]) -> list[Guest]:
        called: list[Guest] = []
        while lane.waiting and self._seats(lane) > 0:
            lane.taken += 1
            called.append(lane.waiting.popleft()[1])
        return called

    def _seats(self, lane: _Lane[Guest]) -> int:
        if lane.failures < FAILURES:
            return self._limit() - lane.taken
        return 1 - lane.taken if self._clock() - lane.moved >= PAUSE else 0

    def _seated(self, lane: _Lane[Guest]) -> Entry:
        if not lane.taken:
            lane.moved = self._clock()
        lane.taken += 1
        return Entry.GO
