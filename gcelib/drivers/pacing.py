"""How fast a cloud is asked: a bucket of tokens that fills at the rate its operator allows."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable

from gcelib.drivers.breaker import Crowded

LONGEST = 5.0
"""Seconds that a call waits for its turn at most."""


class Pace:
    """At most `per_second` calls in the long run, a second's worth of them at once; 0: as many as come.

    Safe for threads: each call books the next free moment, and sleeps until then.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._booked = -math.inf

    def turn(self, named: str, patience: float = LONGEST) -> None:
        """Wait until the call may be made. Raises Crowded at once when that is longer off than `patience` seconds."""
        if not self._per_second:
            return
        with self._lock:
            now = self._clock()
            burst = max(1.0, self._per_second) / self._per_second
            self._booked = max(self._booked, now - burst)
            wait = self._booked + 1 / self._per_second - now
            if wait > min(patience, LONGEST):
                raise Crowded(
                    f"{named} is asked at most {self._per_second:g} times a second, and others are waiting for their"
                    " turn.", retry_after=max(1, round(wait)),
                )
            self._booked += 1 / self._per_second
        if wait > 0:
            self._sleep(wait)


@functools.lru_cache(maxsize=1024)
def pace_of(cloud: str, per_second: float) -> Pace:
    """The one pace of a configured cloud, whoever's keys are used."""
    return Pace(per_second)
