"""What requests cost the cloud in calls, and how soon a change is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.figures import Figure
from bench.house import HERE, Cloud, Server, cloud, gcelib
from tests.wire.machines import machine

INNER = {
    "networkInterfaces": [{"network": "global/networks/demo-network"}],
    "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}],
}
"""Where a machine is in an isolated network."""


def _calls(one: Cloud, work: Callable[[], object]) -> tuple[int, str]:
    """How many calls came, polls of jobs left out, and which."""
    one.counts()
    work()
    counts = {name: number for name, number in one.counts().items() if name != "queryAsyncJobResult"}
    return sum(counts.values()), ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def calls(rounds: int) -> Iterator[Figure]:
    """Calls a request: the machines' own in a list, all of them in the others."""
    with cloud(1000) as one:
        with gcelib(one) as server:
            _, said = _calls(one, lambda: server.get(HERE))
            pages = _by_name(said)["listVirtualMachines"]
            yield Figure("calls of a list of 1 000", "", [pages], 2, gate=2, beside=said)
            time.sleep(5.5)
            number, said = _calls(one, lambda: server.get(f"{HERE}/preloaded-77"))
            yield Figure("calls of a get", "", [number], 1, gate=2, beside=said)
            time.sleep(5.5)
            _, said = _calls(one, lambda: _together(server, 100))
            pages = _by_name(said)["listVirtualMachines"]
            yield Figure("calls of a burst of 100 lists of 1 000", "", [pages], 2, gate=2, beside=said)
        with gcelib(one) as server:
            number, said = _calls(one, lambda: server.done(server.post(HERE, machine("cold"))))
            yield Figure("calls of an insert, nothing remembered", "", [number], 3, gate=8, beside=said)
            number, said = _calls(one, lambda: server.done(server.post(HERE, machine("next"))))
            yield Figure("calls of an insert after another, among 1 000", "", [number], 5, gate=5, beside=said)
            for zone, work, target in (("de-adv1", "isolated network", 1), ("ch-gv2", "security groups", 2)):
                server.get(f"zones/{zone}/instances")
                body = machine("warm", zone, **(INNER if zone == "de-adv1" else {}))
                server.get(f"zones/{zone}/disks")
                number, said = _calls(one, lambda: server.done(server.post(f"zones/{zone}/instances", body)))  # noqa: B023
                yield Figure(f"calls of an insert, lists remembered, {work}", "", [number], 1, gate=target,
                             beside=said)


def _by_name(said: str) -> dict[str, float]:
    return {name: float(number) for name, number in (each.rsplit(" ", 1) for each in said.split(", "))}


def _together(server: Server, number: int) -> None:
    """So many identical lists at once, on connections of their own, all of which must be answered alike."""
    clients = [server.fork() for _ in range(number)]
    with ThreadPoolExecutor(number) as pool:
        answers = {answer.content for answer in pool.map(lambda client: client.get(HERE), clients)}
    assert len(answers) == 1, f"{len(answers)} different answers to the same list"


def jobs(rounds: int) -> Iterator[Figure]:
    """A job of 200 ms: how long after the insert was sent its operation is DONE."""
    with cloud(0, job=0.2) as one, gcelib(one) as server:
        server.done(server.post(HERE, machine("first")))
        times = []
        for turn in range(max(rounds, 5)):
            begun = time.perf_counter()
            server.done(server.post(HERE, machine(f"turn-{turn}")))
            times.append((time.perf_counter() - begun) * 1000)
        yield Figure("insert → DONE, job of 200 ms", "ms", times, 400, gate=800)


def in_flight(rounds: int) -> Iterator[Figure]:
    """1 000 inserts whose jobs are under way: the threads that it takes, and that they all end."""
    with cloud(0, job=60.0) as one, gcelib(one) as server:
        server.get(HERE)
        before = server.threads()
        made: list[dict[str, Any]] = []

        def insert(first: int) -> None:
            mine = server.fork()
            made.extend(mine.post(HERE, machine(f"many-{number}")) for number in range(first, first + 125))

        threads = [threading.Thread(target=insert, args=(first,)) for first in range(0, 1000, 125)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        open_now = server.get("zones/ch-gv2/operations?filter=status%20ne%20DONE").json().get("items", [])
        yield Figure("threads more for what is in flight", "", [server.threads() - before], 4, gate=4,
                     beside=f"{len(made)} inserts, {len(open_now)} or more of them under way")
        for operation in made:
            server.done(operation)
        yield Figure("of 1 000 inserts, DONE without an error", "", [len(made)], 1000, most=False, gate=1000)
