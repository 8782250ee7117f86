"""When to look again, how long to wait at most, and how to leave a cloud alone that does not answer."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gcelib.server.operations.plan import Step

POLLS = ((0.1, 0.06), (0.5, 0.1), (1.0, 0.2), (3.0, 0.3), (8.0, 0.5), (20.0, 1.0), (90.0, 2.0))
"""Pairs (age of the job, pause before the next poll), both in seconds."""

SLOWEST = 3.0
"""The pause between polls of a job older than every age in `POLLS`."""

A_SECOND = 100
"""How many jobs are asked for in a second at most: of a crowd each is asked for less often."""

LONGEST = 60.0
"""No pause is longer, in seconds; one that seems to be was stored by a clock that went wrong."""

LOOKS = (1.0, 2.0, 4.0)
"""Pauses between looks for a write whose outcome is in doubt; after the last one it is sent once more."""

ATTEMPTS = 4
"""How often a write in doubt is sent at most."""

STALE = 5.0
"""Seconds after it was put on the books when a step is not sent any more without another look; less than a lease."""

MISSES = 4
"""How many polls in a row may make no sense before the outcome counts as unknown."""

CALLS = 4
"""How many of the operations' threads may be at one cloud: one that hangs does not hold those of another's."""

SILENT = 5.0
"""Seconds after which a cloud that is being called is said not to answer."""

DEADLINES = {"create": 3600.0, "images.register": 6 * 3600.0}
"""Seconds a step may take, by verb, or by facet and verb."""

DEADLINE = 1800.0
"""Seconds a step may take whose verb is not in `DEADLINES`."""

UNDO_DEADLINE = 600.0
"""Seconds that taking a step back may take."""

GRACE = 300.0
"""Seconds that a step has left at least when a process takes it on: its cloud may just be starting, too."""


def next_poll(age: float, crowd: int = 1) -> float:
    """Seconds until the next poll of a job that was submitted `age` seconds ago, one of a `crowd` of operations."""
    pause = next((pause for until, pause in POLLS if age < until), SLOWEST)
    return max(pause, min(crowd / A_SECOND, LONGEST / 2))


def steady(clock: Callable[[], float], ticks: Callable[[], float]) -> Callable[[], float]:
    """The time as it was at the start and has passed since: setting the machine's clock does not move it."""
    start = clock() - ticks()
    return lambda: start + ticks()


def deadline_for(step: Step) -> float:
    """Seconds this step may take."""
    return DEADLINES.get(f"{step.facet}.{step.verb}", DEADLINES.get(step.verb, DEADLINE))


class Cooling:
    """Clouds that did not answer are left alone for a while: 1 s at first, then longer, up to 15 s.

    So that one dead cloud does not hold every worker in its time-outs. Safe for several threads.
    """

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._clouds: dict[tuple[str, str], tuple[int, float]] = {}
        self._calls: defaultdict[str, list[float]] = defaultdict(list)
        self._words: dict[tuple[str, str], str] = {}

    @contextmanager
    def calling(self, cloud: str) -> Iterator[None]:
        """Within this context the cloud is being called; "" is none that anybody waits for."""
        begun = self._clock()
        with self._lock:
            self._calls[cloud].append(begun)
        try:
            yield
        finally:
            with self._lock:
                self._calls[cloud].remove(begun)

    def crowded(self, cloud: str) -> float:
        """Seconds to wait for others who are calling the cloud, longer when they hang; 0 when there is room."""
        with self._lock:
            calls = self._calls.get(cloud, ())
            return 0.0 if len(calls) < CALLS else min(max(0.05, self._clock() - min(calls)), 3.0)

    def words(self, project: str, cloud: str) -> str:
        """Why the cloud is left alone, or what those who are calling it have been waiting for; "" when it is well."""
        with self._lock:
            calls = self._calls.get(cloud, ())
            silent = len(calls) >= CALLS and self._clock() - min(calls) > SILENT
            return self._words.get((project, cloud)) or (f"Cloud '{cloud}' does not answer." if silent else "")

    def failed(self, project: str, cloud: str, words: str = "") -> float:
        """Note that it did not answer, and why; says for how many seconds to leave it alone."""
        with self._lock:
            self._words[project, cloud] = words
            count, until = self._clouds.get((project, cloud), (0, 0.0))
            # Calls that were under way together fail together: they count as one failure.
            count = min(count + 1, 5) if count == 0 or self._clock() >= until else count
            pause = min(2.0 ** (count - 1), 15.0) * (0.75 + self._jitter() / 2)
            self._clouds[project, cloud] = (count, self._clock() + pause)
            return pause

    def answered(self, project: str, cloud: str) -> None:
        """Note that it answered."""
        with self._lock:
            self._clouds.pop((project, cloud), None)
            self._words.pop((project, cloud), None)

    def remaining(self, project: str, cloud: str) -> float:
        """Seconds for which it is still to be left alone; 0 when it may be called."""
        with self._lock:
            until = self._clouds.get((project, cloud), (0, 0.0))[1]
        return max(0.0, until - self._clock())
