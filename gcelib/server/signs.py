"""Whether each cloud answers: asked side by side for /readyz and the console, so that one that hangs keeps nobody
waiting."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gcelib.drivers.base import Cloud
from gcelib.errors import Bug, Fault

GOOD = "ok"
EVERY = 20.0
"""Seconds for which a sign of life is good enough."""
PATIENCE = 0.8
"""Seconds that /readyz waits for one, for a probe gives up after one; a later sign counts for the next probe."""
SILENT = 5.0
"""Seconds without an answer after which a cloud no longer is as it was last."""


REMEMBERED = 60
"""How many answers' times are known of each cloud."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of one cloud. Times are seconds: `answered` and `failing` ago, None where it never was so.

    `fault` is why it does not answer, None when it does or was never asked; `took` how long each of its last answers
    took, the newest last; `waiting` for how long a question has been under way, None when none is.
    """

    name: str
    provider: str
    fault: Fault | None = None
    answered: float | None = None
    failing: float | None = None
    waiting: float | None = None
    took: Sequence[float] = ()


@dataclass(slots=True)
class _Past:
    fault: Fault | None = None
    answered: float | None = None
    failing: float | None = None
    took: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


@dataclass(slots=True)
class _Sign:
    said: str = ""
    when: float = 0.0
    begun: float = 0.0
    came: threading.Event = field(default_factory=threading.Event)


class Signs:
    """Signs of life by the clouds' names. One question a cloud is under way at a time. Safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._signs: dict[str, _Sign] = {}
        self._pasts: dict[str, _Past] = {}

    def of(self, clouds: Iterable[Cloud]) -> Mapping[str, str]:
        """What each cloud says: `GOOD`, or in words why not.

        An answer is waited for until its question is PATIENCE old: of a cloud that hangs nobody waits for it again.
        """
        signs = {cloud.name: self._asked(cloud) for cloud in clouds}
        for sign in signs.values():
            sign.came.wait(max(0.0, sign.begun + PATIENCE - self._clock()))
        return {name: self._told(name, sign) for name, sign in signs.items()}

    def known(self, clouds: Iterable[Cloud], every: float, patience: float) -> list[Pulse]:
        """What is known of each cloud at once; those not heard of for `every` seconds are asked meanwhile.

        A cloud of which nothing is known yet is waited for until its first question is `patience` seconds old.
        """
        asked = [(cloud, self._asked(cloud, every, every)) for cloud in clouds]
        for cloud, sign in asked:
            if cloud.name not in self._pasts:
                sign.came.wait(max(0.0, sign.begun + patience - self._clock()))
        return [self._pulse(cloud, sign) for cloud, sign in asked]

    def _pulse(self, cloud: Cloud, sign: _Sign) -> Pulse:
        now = self._clock()
        with self._lock:
            past = self._pasts.get(cloud.name, _Past())
            ago = [None if then is None else now - then for then in (past.answered, past.failing)]
            waiting = None if sign.came.is_set() else now - sign.begun
            return Pulse(cloud.name, cloud.provider, past.fault, ago[0], ago[1], waiting, tuple(past.took))

    def _asked(self, cloud: Cloud, every: float = EVERY, again: float = 0.0) -> _Sign:
        """The newest question to a cloud: a new one when its answer is older than `every` seconds, or `again` for a bad
        one."""
        now = self._clock()
        with self._lock:
            sign = self._signs.get(cloud.name)
            enough = every if sign is not None and sign.said == GOOD else again
            if sign is not None and (not sign.came.is_set() or now - sign.when < enough):
                return sign
            sign = self._signs[cloud.name] = _Sign(begun=now)
        threading.Thread(target=self._ask, args=(cloud, sign), name=f"ping {cloud.name}", daemon=True).start()
        return sign

    def _ask(self, cloud: Cloud, sign: _Sign) -> None:
        fault: Fault | None = Bug(f"Cloud '{cloud.name}' could not be asked.")
        try:
            cloud.ping()
            fault = None
        except Fault as error:
            fault = error
        finally:
            sign.said, sign.when = fault.message if fault else GOOD, self._clock()
            self._remember(cloud.name, sign, fault)
            sign.came.set()

    def _remember(self, name: str, sign: _Sign, fault: Fault | None) -> None:
        with self._lock:
            past = self._pasts.setdefault(name, _Past())
            past.fault = fault
            if fault is None:
                past.answered, past.failing = sign.when, None
                past.took.append(sign.when - sign.begun)
            elif past.failing is None:
                past.failing = sign.begun

    def _told(self, name: str, sign: _Sign) -> str:
        if sign.came.is_set():
            return sign.said
        with self._lock:
            past = self._pasts.get(name)
        if past is not None and self._clock() - sign.begun < SILENT:
            return past.fault.message if past.fault else GOOD
        return f"Cloud '{name}' has not answered for {self._clock() - sign.begun:.0f} seconds."
