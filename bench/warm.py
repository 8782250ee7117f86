"""Lists and gets whose answers are remembered, beside the ceiling that answers the same bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.house import HERE, Server, ceiling, cloud, gcelib
from bench.load import load

BASE = "/compute/v1/projects/demo/"
REMEMBERED = "[cache]\nnodes = 600\nother = 600\n"
"""What is warm stays so for as long as it is measured."""


def _beside(server: Server, path: str, work: str, least: float, most: float, rounds: int) -> Iterator[Figure]:
    """Requests per second, at least `least` of the ceiling's; the median request, at most `most` times as long."""
    body = server.get(path).content
    with ceiling(body) as port:
        for way in ((server.live.port, server.token), (port, "none")):
            load(way[0], BASE + path, way[1], seconds=0.5)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(load(server.live.port, BASE + path, server.token))
            theirs.append(load(port, BASE + path, "none"))
    rates = [a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True)]
    medians = [a.p50_ms / b.p50_ms for a, b in zip(ours, theirs, strict=True)]
    rate, top = (statistics.median(each.per_second for each in some) for some in (ours, theirs))
    mine, best = (statistics.median(each.p50_ms for each in some) for some in (ours, theirs))
    said = f"the ceiling, {len(body) / 1024:.0f} KiB"
    yield Figure(f"{work}: requests/s", "×", rates, least, most=False, gate=least - 0.2,
                 beside=f"{said}: {rate:.0f}/{top:.0f}")
    yield Figure(f"{work}: median", "×", medians, most, beside=f"{said}: {mine:.2f}/{best:.2f} ms")


def lists(rounds: int) -> Iterator[Figure]:
    """A warm list of 1, 100 and 500 machines."""
    for size in (1, 100, 500):
        with cloud(size) as one, gcelib(one, extra=REMEMBERED) as server:
            yield from _beside(server, HERE, f"warm list of {size}", 0.7, 1.5, rounds)


def gets(rounds: int) -> Iterator[Figure]:
    """A warm get by name among 100 and among 10 000."""
    for size in (100, 10_000):
        with cloud(size) as one, gcelib(one, extra=REMEMBERED) as server:
            server.get(HERE)
            yield from _beside(server, f"{HERE}/preloaded-77", f"warm get among {size}", 0.6, 1.7, rounds)


def choices(rounds: int) -> Iterator[Figure]:
    """A filtered and ordered list of 10 000, another filter each time, and pages of 500."""
    with cloud(10_000) as one, gcelib(one, extra=REMEMBERED) as server:
        server.get(HERE)
        server.get(f"{HERE}?filter=name%20eq%20.*x&orderBy=creationTimestamp%20desc")
        filtered = [
            _milliseconds(server, f"{HERE}?filter=name%20eq%20.*{turn}7&orderBy=creationTimestamp%20desc")
            for turn in range(rounds)
        ]
        yield Figure("filtered, ordered list of 10 000", "ms", filtered, 150)
        token, times = "", []
        for _ in range(rounds):
            path = f"{HERE}?maxResults=500&pageToken={token}" if token else f"{HERE}?maxResults=500"
            times.append(_milliseconds(server, path))
            token = server.get(path).json()["nextPageToken"]
        yield Figure("page of 500 among 10 000, each another", "ms", times, 20)


def _milliseconds(server: Server, path: str) -> float:
    begun = time.perf_counter()
    server.get(path)
    return (time.perf_counter() - begun) * 1000
