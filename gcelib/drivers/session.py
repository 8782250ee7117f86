"""The one door to libcloud: lends a driver to one thread at a time, times the call and names its failures.

libcloud drivers park the answer on a shared connection object, so a driver is never used by two threads at
once: it is leased from a bounded pool, the most recently used first, so that warm sockets stay warm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from gcelib.drivers import clock, deadline, faults, tally
from gcelib.drivers.breaker import Away, Breaker, Crowded
from gcelib.drivers.pacing import Pace
from gcelib.drivers.tally import Called
from gcelib.errors import Unavailable

LOG = logging.getLogger(__name__)

Driver = TypeVar("Driver")
Result = TypeVar("Result")

MOST_WAITING = 8
"""For each driver, so many callers may wait; more are told so at once."""

Observer = Callable[[Called], None]
"""Told of every call, in the thread and the context that made it."""


def log_call(call: Called) -> None:
    """The observer used when none is given."""
    LOG.debug("%r", call)


class Session(Generic[Driver]):
    """Drivers of one cloud with one set of credentials.

    `make` builds a driver; it may be slow, so it runs outside the lock. `size` bounds the drivers, `wait`
    (seconds) how long a caller waits for one, `idle` (seconds) how long an unused one is kept. `lasting`: a driver
    holds what its cloud knows, so none is ever thrown away. `pace` says how fast the cloud may be asked. A cloud that
    does not answer is left alone for a while (`Breaker`).
    """

    def __init__(
        self,
        at: faults.At,
        make: Callable[[], Driver],
        *,
        size: int = 8,
        wait: float = 5.0,
        idle: float = 60.0,
        lasting: bool = False,
        pace: Pace | None = None,
        observe: Observer = log_call,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.at = at
        self.observe = observe
        self._breaker = Breaker(str(at), clock)
        self._pace = pace or Pace(0)
        self._waiting = 0
        self._make = make
        self.size, self._wait = size, wait
        self._idle = float("inf") if lasting else idle
        self._lasting = lasting
        self._clock = clock
        self._free: deque[tuple[Driver, float]] = deque()
        self._count = 0
        self._closed = False
        self._turn = threading.Condition()

    @contextmanager
    def lease(self) -> Iterator[Driver]:
        """A driver for this thread alone; one whose connection failed is thrown away afterwards.

        Raises Away when all drivers stay busy for longer than `wait` or than the request may take, Crowded at once
        when too many wait already, Unavailable after `close`.
        """
        driver = self._take()
        keep = True
        try:
            yield driver
        except BaseException as exc:
            # KeyboardInterrupt and the like may leave a half-read answer behind.
            keep = self._lasting or (isinstance(exc, Exception) and not faults.breaks_driver(exc))
            raise
        finally:
            self._give(driver, keep)

    def call(self, what: str, work: Callable[[Driver], Result], *, writes: bool = False) -> Result:
        """Run `work` with a leased driver; every exception comes out as a Fault without secrets.

        `writes`: the call changes something, so that a lost answer is Uncertain.
        """
        begun = self._clock()
        outcome, call, fault = "ok", None, None
        try:
            if not deadline.left():
                raise Unavailable(f"{self.at} was not asked for {what}: this request has used up the time it may take.")
            call = self._breaker.enter()
            with clock.asking(self.at.cloud), self.lease() as driver:
                self._pace.turn(str(self.at), deadline.left())
                call.begun = self._clock()
                return work(driver)
        except (Exception, SystemExit) as exc:
            # A driver that wraps a command of its own may end with it; the process is not its to end.
            fault = faults.name(exc, self.at, what, writes=writes)
            outcome = type(fault).__name__
        finally:
            if call is not None:
                self._breaker.leave(call, fault)
            seconds = self._clock() - begun
            self.observe(Called(self.at.cloud, self.at.provider, tally.facet(), what, outcome, seconds))
        # Raised out here so that the original, whose text may hold keys, is not chained to it.
        raise fault

    def close(self) -> None:
        """Close every free driver; leased ones are closed when they come back."""
        with self._turn:
            self._closed = True
            gone = [driver for driver, _ in self._free]
            self._free.clear()
            self._count -= len(gone)
            self._turn.notify_all()
        for driver in gone:
            shut(driver)

    def _take(self) -> Driver:
        until = self._clock() + min(self._wait, deadline.left())
        stale: list[Driver] = []
        try:
            with self._turn:
                while True:
                    stale += self._evict()
                    if self._closed:
                        raise Unavailable(f"{self.at} is being closed; try again.", retry_after=1)
                    if self._free:
                        return self._free.pop()[0]
                    if self._count < self.size:
                        self._count += 1
                        break
                    if not self._waited(until):
                        raise Away(f"{self.at}: all {self.size} connections are busy.", retry_after=2)
        finally:
            for driver in stale:
                shut(driver)
        return self._build()

    def _waited(self, until: float) -> bool:
        """Wait for a driver to come back; False when none does in time. The caller holds the lock."""
        if self._waiting >= MOST_WAITING * self.size:
            raise Crowded(f"{self.at}: too many requests wait for one of {self.size} connections.", retry_after=2)
        left = until - self._clock()
        self._waiting += 1
        try:
            return left > 0 and self._turn.wait(left)
        finally:
            self._waiting -= 1

    def _build(self) -> Driver:
        try:
            return self._make()
        except BaseException:
            with self._turn:
                self._count -= 1
                self._turn.notify()
            raise

    def _give(self, driver: Driver, keep: bool) -> None:
        with self._turn:
            keep = keep and not self._closed
            if keep:
                self._free.append((driver, self._clock()))
            else:
                self._count -= 1
            stale = self._evict()
            self._turn.notify()
        for gone in stale if keep else [*stale, driver]:
            shut(gone)

    def _evict(self) -> list[Driver]:
        """Take out the drivers unused for too long; the caller holds the lock and shuts them after."""
        oldest = self._clock() - self._idle
        gone: list[Driver] = []
        while self._free and self._free[0][1] < oldest:
            gone.append(self._free.popleft()[0])
        self._count -= len(gone)
        return gone


def shut(driver: Any) -> None:
    """Close the sockets of a libcloud driver; one with several connections has a way of its own."""
    own = getattr(driver, "shut", None)
    if own is not None:
        own()
        return
    http = getattr(getattr(driver, "connection", None), "connection", None)
    session = getattr(http, "session", None)
    if session is not None:
        session.close()

