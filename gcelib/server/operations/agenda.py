"""Which operations are to be looked at, and when: one heap that all workers of a process share."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable


class Agenda:
    """Ids with the time at which each is due, on the clock given. An id is with one worker at a time.

    Taken or held ids are busy until they are put back or dropped. Safe for several threads.
    """

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._changed = threading.Condition()
        self._heap: list[tuple[float, str]] = []
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()
        self._closed = False

    def hold(self, id: str) -> None:
        """Make an id busy that nobody else knows yet."""
        with self._changed:
            self._busy.add(id)

    def put(self, id: str, due: float) -> None:
        """Have it looked at at this time; it is not busy any more."""
        with self._changed:
            self._busy.discard(id)
            self._schedule(id, due)

    def add(self, id: str, due: float) -> None:
        """Have it looked at, unless it is known already."""
        with self._changed:
            if id not in self._busy and id not in self._due:
                self._schedule(id, due)

    def drop(self, id: str) -> None:
        """Forget it."""
        with self._changed:
            self._busy.discard(id)
            self._due.pop(id, None)
            self._changed.notify_all()

    def hurry(self, id: str) -> None:
        """Have it looked at now, if it waits for a later time."""
        with self._changed:
            if self._due.get(id, 0.0) > self._ticks():
                self._schedule(id, self._ticks())

    def take(self, *, wait: bool = True) -> str | None:
        """The id due first, now busy; None when closed, or at once without `wait` when none is due."""
        with self._changed:
            while not self._closed:
                pause = self._next()
                if pause is not None and pause <= 0.0:
                    id = heapq.heappop(self._heap)[1]
                    del self._due[id]
                    self._busy.add(id)
                    return id
                if not wait:
                    return None
                self._changed.wait(pause)
        return None

    def knows(self, id: str) -> bool:
        """True while it is busy or waits for its time."""
        with self._changed:
            return id in self._busy or id in self._due

    def __len__(self) -> int:
        with self._changed:
            return len(self._due) + len(self._busy)

    def load(self) -> tuple[int, int, float]:
        """How many are busy, how many wait for their time, and by how many seconds the first of them is overdue."""
        with self._changed:
            self._next()
            late = self._ticks() - self._heap[0][0] if self._heap else 0.0
            return len(self._busy), len(self._due), max(0.0, late)

    def next_due(self) -> float | None:
        """Seconds until the first one is due, None when there is none."""
        with self._changed:
            return self._next()

    def close(self) -> None:
        """Give out no more; everybody who waits is sent home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drained(self, seconds: float) -> bool:
        """Wait until nothing is busy; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, seconds)

    def _schedule(self, id: str, due: float) -> None:
        self._due[id] = due
        heapq.heappush(self._heap, (due, id))
        self._changed.notify_all() if self._closed else self._changed.notify()

    def _next(self) -> float | None:
        # Entries that were hurried, dropped or taken meanwhile are left in the heap until they surface.
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return max(0.0, self._heap[0][0] - self._ticks()) if self._heap else None
