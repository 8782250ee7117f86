"""A cloud that does not answer is left alone for a while, so that nobody spends a time-out on finding out again."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from gcelib.errors import NoCapacity, TooMany, Unavailable
from gcelib.within import Within

SLOW = 1.5
"""Seconds after which a failure has cost somebody time; one that comes sooner is no reason to stay away."""
CALLS = 4
"""How many calls must be waiting for an answer for a cloud to count as silent before their time-outs tell."""
SILENT = 10.0
"""Seconds without any answer that make it so."""
LONGEST = 15.0
"""Seconds between two looks for a cloud that is away, at most."""
PROBES = 3
"""How many looks may be under way at once: each may hang until its time-out."""

_LOOKING: ContextVar[bool] = ContextVar("gcelib_looking", default=False)


class Away(Unavailable):
    """The call was not made: the cloud has not answered lately, and it is not time yet to look for it again."""

    def to_data(self) -> dict[str, Any]:
        """As what it is to everybody else."""
        return {**super().to_data(), "kind": Unavailable.__name__}


class Crowded(TooMany):
    """The call was not made: too many others wait for their turn already."""

    def to_data(self) -> dict[str, Any]:
        """As what it is to everybody else."""
        return {**super().to_data(), "kind": TooMany.__name__}


def looking() -> Within[bool]:
    """Within this context calls are made to clouds that are left alone, too: somebody looks for them."""
    return Within(_LOOKING, True)


@dataclass(slots=True, eq=False)
class Call:
    """A call that is under way; `probe`: it was let through to see whether the cloud answers again."""

    begun: float
    probe: bool = False


class Breaker:
    """What is known of one cloud with one set of keys, `named` for people. Safe for threads.

    Closed, every call goes through. It opens when a call fails after a while, or when several have been waiting for
    long and nothing was answered; then calls are refused at once, but for a probe now and then. Any answer closes it,
    and so does a failure that comes promptly: that costs nobody anything.
    """

    def __init__(
        self,
        named: str,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._named = named
        self._clock, self._jitter = clock, jitter
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._answered = -math.inf
        self._well = -math.inf
        self._why = ""
        self._count = 0
        self._until = 0.0

    def enter(self) -> Call:
        """A call begins. Raises Away, with whole seconds until the next look, while the cloud is left alone."""
        with self._lock:
            now = self._clock()
            call = Call(now)
            if not self._why and self._silent(now):
                self._open(f"{self._named} has not answered any of {len(self._calls)} calls for {SILENT:.0f} seconds.")
            if self._why and not _LOOKING.get():
                if now < self._until or sum(each.probe for each in self._calls) >= PROBES:
                    raise Away(self._why, retry_after=max(1, math.ceil(self._until - now)))
                call.probe = True
                self._lengthen(now)
            self._calls.append(call)
            return call

    def leave(self, call: Call, fault: BaseException | None) -> None:
        """The call has ended, `fault` says how; None is well. One that was never made tells nothing."""
        with self._lock:
            now = self._clock()
            self._calls.remove(call)
            if isinstance(fault, Away | Crowded):
                return
            if isinstance(fault, Unavailable) and not isinstance(fault, NoCapacity) and now - call.begun >= SLOW:
                # What was begun before the last good answer says nothing new.
                if call.begun >= self._well:
                    self._open(fault.message)
                return
            self._answered, self._well = now, max(self._well, call.begun)
            self._why, self._count = "", 0

    def _silent(self, now: float) -> bool:
        begun = min((each.begun for each in self._calls), default=now)
        return len(self._calls) >= CALLS and now - max(begun, self._answered) >= SILENT

    def _open(self, why: str) -> None:
        """Stay away from now on; failures of calls that were under way together count as one."""
        now = self._clock()
        if not self._why or now >= self._until:
            self._lengthen(now)
        self._why = why

    def _lengthen(self, now: float) -> None:
        self._count = min(self._count + 1, 5)
        self._until = now + min(2.0 ** (self._count - 1), LONGEST) * (0.75 + self._jitter() / 2)
