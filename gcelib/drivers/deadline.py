"""Until when a request may take: every call to a cloud that it makes is given no longer than what is left."""

from __future__ import annotations

import math
import threading
import time
from contextvars import ContextVar

from gcelib.errors import Unavailable
from gcelib.within import Within

_UNTIL: ContextVar[float] = ContextVar("gcelib_deadline", default=math.inf)


def within(seconds: float) -> Within[float]:
    """What is begun in this context ends after so many seconds at the latest; an earlier deadline stays."""
    return Within(_UNTIL, min(_UNTIL.get(), time.monotonic() + seconds))


def lifted() -> Within[float]:
    """What is begun in this context may take its time: a change that is cut off is one that nobody knows about."""
    return Within(_UNTIL, math.inf)


def left() -> float:
    """Seconds that are left, 0 when the time is over; infinity where nobody has set a deadline."""
    return max(0.0, _UNTIL.get() - time.monotonic())


def wait(event: threading.Event, what: str) -> None:
    """Wait for it. Raises Unavailable, naming what it is, when it does not come in the time that is left."""
    seconds = left()
    if not event.wait(None if seconds == math.inf else seconds):
        raise Unavailable(f"No answer to {what} came in the time that this request may take.")
