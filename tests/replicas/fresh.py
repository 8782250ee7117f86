"""Creates on one replica and lists on another at once: how often the list shows what was made.

`python -m tests.replicas.fresh 1000` with the database's numbers, `python -m tests.replicas.fresh 1000 redis` with
marks in Redis, `python -m tests.replicas.fresh 1000 trouble` while Redis is flushed, killed and stopped all the time.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from gcelib.simulator import Simulator
from tests.postgres import Postgres
from tests.redis_server import RedisServer
from tests.replicas.site import Site
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


@dataclass
class Measured:
    """Names that were not shown, and that were still; milliseconds from the create's answer to the list's."""

    missed: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    lingering: list[str] = field(default_factory=list)


def measure(site: Site, times: int, word: str = "fresh") -> Measured:
    """Create on A and list on B, then delete on B and list on A once it is done, in turn on every pair."""
    apis = [live.api() for live in site.replicas]
    found = Measured()
    for api in apis:
        api.get(HERE)
    for number in range(times):
        name = f"{word}-{number}"
        one, other = apis[number % len(apis)], apis[(number + 1) % len(apis)]
        # The other has a list that it would give again.
        other.get(HERE)
        made = one.call("POST", HERE, machine(name))
        assert made.status == 200, made.data
        done = time.monotonic()
        listing = other.get(HERE)
        found.took.append((time.monotonic() - done) * 1000)
        if name not in {item["name"] for item in listing.get("items", [])}:
            found.missed.append(name)
        one.until_done(made.data)
        gone = other.call("DELETE", f"{HERE}/{name}")
        assert gone.status == 200, gone.data
        other.until_done(gone.data)
        if name in {item["name"] for item in one.get(HERE).get("items", [])}:
            found.lingering.append(name)
    return found


@contextmanager
def trouble(server: RedisServer, seed: int, told: list[str]) -> Iterator[None]:
    """Within this context a Redis goes through what can become of one, over and over; `told` is what it was."""
    over, chance = threading.Event(), random.Random(seed)
    ways = {"flushed": server.flush, "killed": lambda: server.stop(), "kept": server.keep,
            "stopped": server.hang, "killed while stopped": server.hang}

    def run() -> None:
        while not over.wait(chance.uniform(0.05, 0.8)):
            way = chance.choice(sorted(ways))
            ways[way]()
            told.append(way)
            over.wait(chance.choice((0.0, 0.1, 0.7, 2.0)))
            if way == "stopped":
                server.go_on()
            if way == "killed while stopped":
                server.stop()
            if server.process is None:
                server.start()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def main(times: int, how: str) -> None:
    """Measure, and print."""
    postgres, server = Postgres().start(), RedisServer().start() if how else None
    told: list[str] = []
    try:
        with (
            tempfile.TemporaryDirectory() as home,
            Simulator(job_delay=0.05) as cloud,
            Site(Path(home), postgres, cloud, 3, f'generations = "{server.url}"\n' if server else "") as site,
            trouble(server, times, told) if server and how == "trouble" else nullcontext(),
        ):
            found = measure(site, times)
    finally:
        postgres.remove()
        if server:
            server.remove()
    took = sorted(found.took)
    print(f"{times - len(found.missed)} of {times} creates shown, {times - len(found.lingering)} deletes gone;"
          f" a list took {statistics.median(took):.1f} ms (median), {took[int(len(took) * 0.99)]:.1f} ms (99 %)")
    if told:
        print("Redis was " + ", ".join(f"{way} {told.count(way)} times" for way in sorted(set(told))))
    sys.exit(1 if found.missed or found.lingering else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, sys.argv[2] if len(sys.argv) > 2 else "")
