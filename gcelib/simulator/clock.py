"""Time as the simulated cloud sees it: the real clock, or one that tests turn by hand."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """What the cloud needs of a clock: `now` in seconds since 1970."""

    def now(self) -> float: ...


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()


class SettableClock:
    """A clock that stands still until `advance` is called."""

    def __init__(self, start: float | None = None) -> None:
        self._lock = threading.Lock()
        self._now = time.time() if start is None else start

    def now(self) -> float:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; jobs that fall due end at the next request."""
        with self._lock:
            self._now += seconds


def date_text(moment: float) -> str:
    """CloudStack's date form: no colon in the offset."""
    return _date_of_second(int(moment))


@lru_cache(4096)
def _date_of_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
