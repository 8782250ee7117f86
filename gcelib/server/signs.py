"""Whether each cloud answers: asked side by side for /readyz, so that one that hangs keeps nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gcelib.drivers.base import Cloud
from gcelib.errors import Fault

GOOD = "ok"
EVERY = 20.0
"""Seconds for which a sign of life is good enough."""
PATIENCE = 5.0
"""Seconds in which a cloud gives one; a later one counts for the next question."""


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

    def of(self, clouds: Iterable[Cloud]) -> Mapping[str, str]:
        """What each cloud says: `GOOD`, or in words why not."""
        signs = {cloud.name: self._asked(cloud) for cloud in clouds}
        until = self._clock() + PATIENCE
        for sign in signs.values():
            sign.came.wait(max(0.0, until - self._clock()))
        return {name: self._told(name, sign) for name, sign in signs.items()}

    def _asked(self, cloud: Cloud) -> _Sign:
        now = self._clock()
        with self._lock:
            sign = self._signs.get(cloud.name)
            if sign is not None and (not sign.came.is_set() or (sign.said == GOOD and now - sign.when < EVERY)):
                return sign
            sign = self._signs[cloud.name] = _Sign(begun=now)
        threading.Thread(target=self._ask, args=(cloud, sign), name=f"ping {cloud.name}", daemon=True).start()
        return sign

    def _ask(self, cloud: Cloud, sign: _Sign) -> None:
        said = f"Cloud '{cloud.name}' could not be asked."
        try:
            cloud.ping()
            said = GOOD
        except Fault as fault:
            said = fault.message
        finally:
            sign.said, sign.when = said, self._clock()
            sign.came.set()

    def _told(self, name: str, sign: _Sign) -> str:
        if sign.came.is_set():
            return sign.said
        return f"Cloud '{name}' has not answered for {self._clock() - sign.begun:.0f} seconds."
