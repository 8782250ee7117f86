"""A database that goes away under replicas at work: what clients were told, and what is true at the end.

`python -m tests.replicas.outage --seconds 30 [stopped crashed killed silent full cut]`
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from gcelib.simulator import Simulator
from tests.api import Api
from tests.faults.disks import Impossible
from tests.live import Live
from tests.replicas.site import Site
from tests.replicas.storm import HERE, Client, Outcome, untrue
from tests.replicas.ways import WAYS, Way

BOUND = 30.0
"""Seconds within which everything is answered, whatever has become of the database."""

RECOVERY = 15.0
"""Seconds within which every replica is ready after it is back."""


@dataclass(frozen=True)
class Sign:
    """What a replica said when it was asked whether it is ready: the status, and how writing went."""

    replica: int
    asked: float
    answered: float
    status: int
    writes: str


@dataclass
class Told:
    """What clients and load balancers were told. Times are seconds from the beginning."""

    begun: float = field(default_factory=time.monotonic)
    struck: float = 0.0
    mending: float = 0.0
    """When the database began to come back, which takes it a moment."""
    mended: float = 0.0
    waited: list[float] = field(default_factory=list)
    """Seconds until each answer but those of `wait`, which is meant to take long."""
    refused: list[float] = field(default_factory=list)
    """Seconds until each 503."""
    wrong: list[str] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    """Names of operations and their targets, of every change that was answered with 200."""
    ready: list[Sign] = field(default_factory=list)

    def now(self) -> float:
        """Seconds from the beginning."""
        return time.monotonic() - self.begun


class Customer(Client):
    """A client that keeps count of how it was served."""

    def __init__(self, site: Site, outcome: Outcome, told: Told) -> None:
        super().__init__(site, outcome, 1)
        self._told = told

    def heard(self, asked: str, answer: requests.Response, seconds: float) -> None:
        """One more answer."""
        if not asked.endswith("/wait"):
            self._told.waited.append(seconds)
        if answer.status_code == 200:
            data = answer.json()
            if data["kind"] == "compute#operation":
                self._told.accepted[data["name"]] = data["targetLink"]
            return
        error = answer.json()["error"]
        good = (
            answer.status_code == 503 == error["code"] and int(answer.headers.get("Retry-After", 0)) > 0
            and error["errors"][0]["reason"] == "backendError" and error["message"] == error["errors"][0]["message"]
        )
        if not good:
            self._told.wrong.append(f"{asked} was answered {answer.status_code} {answer.headers} {answer.text[:200]}")
        self._told.refused.append(seconds)

    def look(self) -> None:
        """List the zone's machines, whatever the answer."""
        begun = time.monotonic()
        answer = self.ask("GET", f"{HERE}/instances")
        self.heard("GET instances", answer, time.monotonic() - begun)


class Balancer:
    """Asks every replica now and then whether it is ready, as a load balancer does."""

    def __init__(self, site: Site, told: Told) -> None:
        self._over = threading.Event()
        self._told = told
        self._threads = [
            threading.Thread(target=self._watch, args=(number, live)) for number, live in enumerate(site.replicas)
        ]

    def __enter__(self) -> Balancer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, number: int, live: Live) -> None:
        while not self._over.wait(0.2):
            asked = self._told.now()
            answer = requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=60)
            sign = Sign(number, asked, self._told.now(), answer.status_code, answer.json()["writes"])
            self._told.ready.append(sign)


def outage(
    site: Site, way: Way, seconds: float, *, burst: int = 50, workers: int = 6, calm: float = 2.0, first: int = 1
) -> tuple[Told, Outcome]:
    """Clients make, delete and list; a burst of inserts is under way when the database goes away for so long.

    They work for `calm` seconds before and after. Each change is carried through: asked for again, with the same
    request id, until its operation is DONE. `first` is the number of the first machine.
    """
    told, outcome = Told(), Outcome()
    customer = Customer(site, outcome, told)
    over = threading.Event()
    turn = itertools.count(first)

    def work() -> None:
        while not over.is_set():
            number = next(turn)
            customer.change("insert", f"new-{number}")
            customer.look()
            customer.change("delete", f"preloaded-{number}")

    with Balancer(site, told), ThreadPoolExecutor(workers + burst) as pool:
        jobs = [pool.submit(work) for _ in range(workers)]
        over.wait(calm)
        jobs += [pool.submit(customer.change, "insert", f"burst-{number}") for number in range(first, first + burst)]
        over.wait(0.15)
        way.strike()
        told.struck = told.now()
        over.wait(seconds)
        told.mending = told.now()
        way.mend()
        told.mended = told.now()
        over.wait(calm)
        over.set()
        for job in jobs:
            job.result()
        until = told.mended + RECOVERY + 1.0
        while told.now() < until and not all(_recovered(told, number) for number, _ in enumerate(site.replicas)):
            time.sleep(0.1)
    outcome.seconds = told.now()
    return told, outcome


def unkept(site: Site, way: Way, told: Told, outcome: Outcome, before: Collection[str] = ()) -> list[str]:
    """Every promise that was not kept, empty when all is well; `before` are machines that were there at the start."""
    wrong = told.wrong + untrue(site, outcome, len(outcome.done), before)
    api = site.replicas[-1].api()
    books = {each["name"]: each for each in _pages(api, "zones/ch-gv2/operations")}
    for name, target in told.accepted.items():
        found = books.get(name, {})
        if found.get("status") != "DONE" or found.get("targetLink", "").partition("/projects/")[2] != (
            target.partition("/projects/")[2]
        ):
            wrong.append(f"operation {name} on {target} was accepted and is now {found or 'lost'}")
    wrong += [f"operation {each['name']} was never DONE" for each in books.values() if each["status"] != "DONE"]
    for operation in outcome.done.values():
        wrong += [str(operation["error"])] if "error" in operation else []
    listed = {item["name"] for item in _pages(api, "zones/ch-gv2/instances")}
    if listed != set(site.names()):
        wrong.append(f"the list differs: {sorted(listed ^ set(site.names()))}")
    if max(told.waited) > BOUND:
        wrong.append(f"a request took {max(told.waited):.1f} s")
    # While reading goes on a client may happen to wait for its operation all of a short time.
    if not told.refused and not (way.readable and told.mending - told.struck < 10):
        wrong.append("nobody was refused anything")
    for sign in told.ready:
        told_so = sign.writes != "ok" if way.readable else sign.status == 503
        if told.struck + way.noticed < sign.asked and sign.answered < told.mending and not told_so:
            wrong.append(f"{sign.asked - told.struck:.1f} s into it: {sign}")
    for number, _ in enumerate(site.replicas):
        if not _recovered(told, number):
            wrong.append(f"replica {number} was not ready {RECOVERY:.0f} s after the database was back")
    return wrong


def away(told: Told) -> Counter[int]:
    """How often load balancers were told what while the database was away."""
    return Counter(sign.status for sign in told.ready if told.struck < sign.asked and sign.answered < told.mending)


def _recovered(told: Told, number: int) -> bool:
    """Whether a replica was ready soon after the database was back, and stayed so."""
    after = [sign for sign in told.ready if sign.replica == number and sign.asked > told.mended]
    bad = [sign.answered for sign in after if sign.status != 200]
    return bool(after) and after[-1].status == 200 and max(bad, default=0.0) <= told.mended + RECOVERY


def _pages(api: Api, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = api.get(path, maxResults=500, **({"pageToken": token} if token else {}))
        found += page.get("items", [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


def report(name: str, seconds: float) -> bool:
    """One outage, and what came of it in a few lines; False when a promise was not kept."""
    try:
        with (
            WAYS[name]() as way, tempfile.TemporaryDirectory() as home,
            Simulator(job_delay=0.5, preload=600) as cloud, Site(Path(home), way.postgres, cloud) as site,
        ):
            before = site.names()
            told, outcome = outage(site, way, seconds)
            wrong = unkept(site, way, told, outcome, before)
            logs = [live.said() for live in site.replicas]
    except Impossible as reason:
        print(f"{name}: not done: {reason}")
        return True
    print(
        f"{name}: away for {told.mended - told.struck:.1f} s; {len(told.accepted)} operations accepted, all DONE"
        f" {outcome.seconds - told.mended:.1f} s after it was back; {len(told.refused)} answers 503"
        f" (median {statistics.median(told.refused or [0.0]):.1f} s, slowest {max(told.refused, default=0.0):.1f} s),"
        f" slowest of all {max(told.waited):.1f} s; ready while away: {dict(away(told))};"
        f" ready again after {_back(told):.1f} s; {len(wrong)} promises not kept"
    )
    print("\n".join(f"{times:6} {what}" for what, times in outcome.trouble.most_common(8)))
    print("\n".join(wrong[:20]))
    # Why, where one of them broke at something.
    print("\n".join(log[log.index("Traceback"):][:4000] for log in logs if wrong and "Traceback" in log), flush=True)
    return not wrong


def _back(told: Told) -> float:
    late = [sign.answered - told.mended for sign in told.ready if sign.status != 200]
    return max([0.0, *late])


def main() -> None:
    """Each way in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=" ".join(WAYS))
    args = parser.parse_args()
    unheard = set(args.ways) - set(WAYS)
    if unheard:
        parser.error(f"there is no way {', '.join(sorted(unheard))}")
    good = [report(name, args.seconds) for name in args.ways or WAYS]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
