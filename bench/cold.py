"""Lists that are asked of the cloud, beside the same pages asked for as barely as can be."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import requests

from bench import raw
from bench.figures import Figure, ratios
from bench.house import HERE, cloud, gcelib


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def thousand(rounds: int) -> Iterator[Figure]:
    """A list of 1 000 beside one raw paged listing, and beside libcloud's own, at 20 ms an answer."""
    with cloud(1000, delay=0.02) as one, gcelib(one) as server, requests.Session() as session:
        driver = raw.libcloud(one)
        ours = lambda: seconds(lambda: server.get(HERE, anew=True))  # noqa: E731
        assert len(raw.pages(one, session)) == 1000
        bare = len(driver.list_nodes())
        ours()
        quick, mine, theirs = ratios(ours, lambda: seconds(lambda: raw.pages(one, session)), rounds)
        said = f"raw pages, json.loads: {_both(mine, theirs)}"
        yield Figure("cold list of 1 000", "×", quick, 1.3, gate=2.5, beside=said)
        quick, mine, theirs = ratios(ours, lambda: seconds(driver.list_nodes), rounds)
        said = f"libcloud's list_nodes(), {bare} of them: {_both(mine, theirs)}"
        yield Figure("cold list of 1 000", "×", quick, 1.0, gate=1.0, beside=said)


def ten_thousand(rounds: int) -> Iterator[Figure]:
    """20 pages at 50 ms each, beside the same pages one after the other; the memory that it takes."""
    with cloud(10_000, delay=0.05) as one, requests.Session() as session:
        with gcelib(one) as server:
            # The cloud makes its answers once, disks too.
            server.get(HERE)
        raw.pages(one, session)
        shares, peaks, kept = [], [], []
        for _ in range(rounds):
            with gcelib(one) as server:
                server.get("zones")
                idle = server.memory()
                server.forget_peak()
                taken = seconds(lambda: server.get(HERE))
                peaks.append(server.memory("VmHWM") - idle)
                kept.append(server.memory() - idle)
            shares.append(taken / seconds(lambda: raw.pages(one, session)))
        said = "the pages one after the other"
        yield Figure("cold list of 10 000, 50 ms a page", "×", shares, 1 / 3, gate=0.6, beside=said)
        yield Figure("its peak above idle", "MiB", peaks, 120, gate=180)
        yield Figure("what stays of 10 000 machines", "MiB", kept, 60, gate=100)


def growth(rounds: int) -> Iterator[Figure]:
    """The time a machine takes in a cold list, from 100 to 50 000 machines."""
    each: dict[int, list[float]] = {}
    for size in (100, 1_000, 10_000, 50_000):
        with cloud(size) as one, gcelib(one, extra="[cache]\nnodes = 0\n") as server:
            server.get(HERE)
            each[size] = [seconds(lambda: server.get(HERE)) / size for _ in range(rounds)]
    base = statistics.median(each[1_000])
    for size in (10_000, 50_000):
        values = [value / base for value in each[size]]
        yield Figure(f"time a machine among {size}", "×", values, 1.2, gate=2.0, beside="among 1 000, no delay")


def several(rounds: int) -> Iterator[Figure]:
    """An aggregated list over three clouds of 100, 200 and 300 ms, beside one over the slowest alone."""
    with cloud(5, delay=0.1) as a, cloud(5, delay=0.2) as b, cloud(5, delay=0.3) as c:
        clouds = a.section("a", "aa") + b.section("b", "bb") + c.section("c", "cc")
        clouds += '[projects.demo]\nclouds = ["a", "b", "c"]\n[projects.slow]\nclouds = ["c"]\n'
        with gcelib(a, clouds=clouds) as server:
            server.grant("slow")
            path = "aggregated/instances"
            ours = lambda: seconds(lambda: server.get(path, anew=True))  # noqa: E731
            alone = lambda: seconds(lambda: server.get(path, project="slow", anew=True))  # noqa: E731
            ours(), alone()
            values, mine, theirs = ratios(ours, alone, rounds)
            said = f"the slowest alone: {_both(mine, theirs)}"
            yield Figure("aggregated list, 100/200/300 ms", "×", values, 1.15, gate=1.5, beside=said)


def _both(mine: list[float], theirs: list[float]) -> str:
    return f"{statistics.median(mine) * 1000:.0f}/{statistics.median(theirs) * 1000:.0f} ms"
