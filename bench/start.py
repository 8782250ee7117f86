"""From nothing to the first answer, and what an idle gcelib takes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.house import cloud, gcelib


def start(rounds: int) -> Iterator[Figure]:
    """The process is started until a list of zones is answered; what it has in memory then."""
    with cloud(1) as one, gcelib(one) as server:
        times, idle = [], []
        for _ in range(max(rounds, 3)):
            server.live.stop()
            begun = time.perf_counter()
            server.live.launch()
            server.first("zones")
            times.append(time.perf_counter() - begun)
            time.sleep(0.5)
            idle.append(server.memory())
        yield Figure("start → first answer", "s", times, 0.7, gate=2.0)
        yield Figure("idle memory", "MiB", idle, 80, gate=110)
