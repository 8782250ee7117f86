"""The line before something that one thread has at a time: first come, first served."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from gcelib.errors import Unavailable


class Line:
    """For threads of one process. SQLite's own way to wait is to sleep and to look again: who comes at the wrong moment
    sleeps on while it is free, and whoever has just had it takes it again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self, patience: float) -> Iterator[float]:
        """Have it; what is left of `patience` seconds. Raises Unavailable when they pass first."""
        began = time.monotonic()
        if not self._come(patience):
            raise Unavailable("gcelib's own database does not answer as it should: too many wait to change it.")
        try:
            yield max(0.0, patience - (time.monotonic() - began))
        finally:
            self._go()

    def _come(self, patience: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            place = threading.Lock()
            place.acquire()
            self._waiting.append(place)
        if place.acquire(timeout=patience):
            return True
        with self._guard:
            if place not in self._waiting:
                # It was given to us in this very moment.
                return True
            self._waiting.remove(place)
            return False

    def _go(self) -> None:
        """It is the next one's; it is never free in between, so that nobody comes before those who wait."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
