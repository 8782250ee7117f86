"""Until when a request may take: every call to a cloud that it makes is given no longer than what is left."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from gcelib.errors import Unavailable

_UNTIL: ContextVar[float] = ContextVar("gcelib_deadline", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is begun in this context ends after so many seconds at the latest; an earlier deadline stays."""
    token = _UNTIL.set(min(_UNTIL.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _UNTIL.reset(token)


@contextmanager
def lifted() -> Iterator[None]:
    """What is begun in this context may take its time: a change that is cut off is one that nobody knows about."""
    token = _UNTIL.set(math.inf)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def left() -> float:
    """Seconds that are left, 0 when the time is over; infinity where nobody has set a deadline."""
    return max(0.0, _UNTIL.get() - time.monotonic())


def wait(event: threading.Event, what: str) -> None:
    """Wait for it. Raises Unavailable, naming what it is, when it does not come in the time that is left."""
    seconds = left()
    if not event.wait(None if seconds == math.inf else seconds):
        raise Unavailable(f"No answer to {what} came in the time that this request may take.")
