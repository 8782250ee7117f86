"""How much memory, threads and open files the replicas have, over the time that each lives."""

from __future__ import annotations

import random
import re
import statistics
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.run import Soak

SETTLED = 0.4
"""The part of a life in which caches fill and pools open; what comes after it must be flat."""
SHORTEST = 120.0
"""Seconds that a life must have had for its growth to mean something."""
SLOPE = 1.0
"""MB a minute that a process may grow by once it has settled."""
MORE_FILES = 100
"""So many more open files than at the beginning of the settled part: connections come and go."""


@dataclass(frozen=True)
class Sample:
    """One look: `when` in seconds of the monotonic clock, `mb` resident."""

    when: float
    mb: float
    threads: int
    files: int


@dataclass
class Life:
    """One process of a replica."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it was watched."""
        return self.samples[-1].when - self.samples[0].when if self.samples else 0.0

    @property
    def settled(self) -> list[Sample]:
        """The looks after it had warmed up."""
        return self.samples[int(len(self.samples) * SETTLED):]

    @property
    def growth(self) -> float:
        """MB a minute, once settled: the line that half of its pairs of looks are above, so that one peak is none."""
        looks = self.settled[:: max(1, len(self.settled) // 100)]
        slopes = [(b.mb - a.mb) / (b.when - a.when) * 60 for at, a in enumerate(looks) for b in looks[at + 1:]]
        return statistics.median(slopes) if slopes else 0.0

    @property
    def series(self) -> list[float]:
        """MB at the beginning, at each fifth of its life, and at the end."""
        return [self.samples[round(part * (len(self.samples) - 1) / 5)].mb for part in range(6)]

    def breaches(self, who: str) -> list[str]:
        """What it should not have done."""
        if self.seconds < SHORTEST:
            return []
        found = [f"{who} grows by {self.growth:.2f} MB a minute"] if self.growth > SLOPE else []
        first, last = self.settled[0], self.settled[-1]
        if last.files > first.files + MORE_FILES:
            found.append(f"{who} had {first.files} open files and has {last.files}")
        return found


class Memory:
    """Looks at every replica `every` so many seconds; each process is a life of its own."""

    __name__ = "memory"

    def __init__(self, every: float = 2.0) -> None:
        self._every = every
        self._lives: defaultdict[int, defaultdict[int, Life]] = defaultdict(lambda: defaultdict(Life))

    def __call__(self, soak: Soak, dice: random.Random) -> None:
        """Look once."""
        soak.rest(self._every)
        for number, live in enumerate(soak.site.replicas):
            process = live.process
            if process is not None:
                with suppress(OSError):  # It has just been killed.
                    self._lives[number][process.pid].samples.append(look(process.pid))

    def longest(self, number: int) -> Life:
        """The longest life of a replica."""
        return max(self._lives[number].values(), key=lambda life: life.seconds, default=Life())


def look(pid: int) -> Sample:
    """How a process is now. Raises OSError when there is none."""
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = {name: int(value) for name, value in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE)}
    if "VmRSS" not in numbers:
        raise ProcessLookupError(pid)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(time.monotonic(), numbers["VmRSS"] / 1000, numbers["Threads"], files)
