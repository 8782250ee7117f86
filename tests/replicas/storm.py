"""Inserts and deletes on replicas that are killed in turn, over a cloud that loses answers: what is true at the end.

`python -m tests.replicas.storm 500` makes and deletes 500 machines each, on 3 replicas, one killed every 5 seconds.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

from gcelib.simulator import Fault, FaultPlan, Simulator
from tests.postgres import Postgres
from tests.replicas.site import Site
from tests.wire.machines import machine

HERE = "/compute/v1/projects/demo/zones/ch-gv2"
CLIENTS = 12
PATIENCE = 600.0
"""Seconds that one operation may take in all."""


class Lossy(FaultPlan):
    """Drops a share of the connections, half of them before the cloud did what was asked, half after it."""

    def __init__(self, seed: int, share: float = 0.0) -> None:
        super().__init__()
        self.share = share
        self.dropped: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._dice = threading.Lock()

    def take(self, command: str, account: str, kinds: tuple[str, ...]) -> list[Fault]:
        kind = next((kind for kind in ("reset", "reset_after") if kind in kinds), "")
        with self._dice:
            if kind and self._random.random() < self.share / 2:
                self.dropped[kind] += 1
                return [Fault(kind=kind, command=command)]
        return super().take(command, account, kinds)


@dataclass
class Outcome:
    """What clients were told in the end: by (verb, name) the DONE operation; and how the servers fared."""

    done: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    trouble: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    killed: list[float] = field(default_factory=list)
    """Seconds from the beginning to each kill."""
    seconds: float = 0.0


class Client:
    """A client behind a load balancer: what is not answered, or with 5xx, it asks again, with the same request id."""

    def __init__(self, site: Site, outcome: Outcome, seed: int) -> None:
        self._urls = [live.url for live in site.replicas]
        self._headers = {"Authorization": f"Bearer {site.replicas[0].token}"}
        self._outcome = outcome
        self._random = random.Random(seed)
        self._local = threading.local()

    def change(self, verb: str, name: str) -> None:
        """Carry one change through, until its operation is DONE."""
        until = time.monotonic() + PATIENCE
        request = {"requestId": str(uuid.uuid4())}
        if verb == "insert":
            begun = self._ask("POST", f"{HERE}/instances", until, json=machine(name), params=request)
        else:
            begun = self._ask("DELETE", f"{HERE}/instances/{name}", until, params=request)
        operation = begun
        while operation["status"] != "DONE":
            operation = self._ask("POST", f"{HERE}/operations/{operation['name']}/wait", until)
        self._outcome.done[verb, name] = operation

    def _ask(self, method: str, path: str, until: float, **options: Any) -> dict[str, Any]:
        while True:
            assert time.monotonic() < until, f"{method} {path} was not answered in {PATIENCE:.0f} s"
            begun = time.monotonic()
            try:
                answer = self.ask(method, path, **options)
            except requests.RequestException as error:
                self._outcome.trouble[type(error).__name__] += 1
                time.sleep(0.2)
                continue
            self.heard(f"{method} {path}", answer, time.monotonic() - begun)
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            self._outcome.trouble[f"{answer.status_code} {answer.json()['error']['message'][:60]}"] += 1
            assert answer.status_code >= 500 or answer.status_code == 429, answer.text
            time.sleep(float(answer.headers.get("Retry-After", 1)) * self._random.uniform(0.2, 0.5))

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request to a replica by chance. Raises RequestException."""
        url = self._random.choice(self._urls) + path
        return self._session().request(method, url, headers=self._headers, timeout=90, **options)

    def heard(self, asked: str, answer: requests.Response, seconds: float) -> None:
        """Told of every answer, and how long it took."""

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session


class Killer:
    """Kills the replicas in turn, one every so many seconds to the second, and starts each again meanwhile."""

    def __init__(self, site: Site, outcome: Outcome, every: float) -> None:
        self._site, self._outcome, self._every = site, outcome, every
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(len(site.replicas) + 1)

    def __enter__(self) -> Killer:
        self._work = self._pool.submit(self._kill)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        try:
            self._work.result()
        finally:
            self._pool.shutdown()

    def _kill(self) -> None:
        starts: dict[int, Future[Any]] = {}
        begun = time.monotonic()
        while not self._over.wait(begun + self._every * (self._outcome.kills + 1) - time.monotonic()):
            number = self._outcome.kills % len(self._site.replicas)
            live = self._site.replicas[number]
            if number in starts:
                starts[number].result()
            live.stop(signal.SIGKILL)
            self._outcome.kills += 1
            self._outcome.killed.append(time.monotonic() - begun)
            starts[number] = self._pool.submit(live.start, 120)
        for start in starts.values():
            start.result()


def storm(site: Site, outcome: Outcome, size: int, every: float, seed: int) -> Outcome:
    """`size` inserts and `size` deletes of the cloud's preloaded machines, mixed by the seed."""
    client = Client(site, outcome, seed)
    work = [("insert", f"new-{number}") for number in range(size)]
    work += [("delete", f"preloaded-{number + 1}") for number in range(size)]
    random.Random(seed).shuffle(work)
    started = time.monotonic()
    with Killer(site, outcome, every), ThreadPoolExecutor(CLIENTS) as pool:
        for each in [pool.submit(client.change, verb, name) for verb, name in work]:
            each.result()
    outcome.seconds = time.monotonic() - started
    return outcome


def untrue(site: Site, outcome: Outcome, changes: int, before: Collection[str] = ()) -> list[str]:
    """Everything that is not as the operations of so many changes say: empty when all is well.

    `before` are machines that were there at the start and may be there still.
    """
    there = Counter(site.names())
    wrong = [f"{name} is there {times} times" for name, times in there.items() if times > 1]
    for (verb, name), operation in outcome.done.items():
        said = " ".join(each["message"] for each in operation.get("error", {}).get("errors", []))
        if (name in there) != ((verb == "insert") != bool(said)):
            wrong.append(f"{verb} of {name} said {said or 'done'!r}, and it is {'' if name in there else 'not '}there")
    if len(outcome.done) != changes:
        wrong.append(f"{len(outcome.done)} operations ended, not {changes}")
    extra = set(there) - {name for _, name in outcome.done} - set(before)
    return wrong + [f"{name} was asked for by nobody" for name in sorted(extra)]


def _pauses(outcome: Outcome) -> str:
    pauses = [after - before for before, after in pairwise([0.0, *outcome.killed])]
    return f"one every {min(pauses):.2f} to {max(pauses):.2f} s" if pauses else "none"


def main(size: int, every: float = 5.0, share: float = 0.05, seed: int = 1) -> None:
    """Storm, and print what came of it."""
    postgres = Postgres().start()
    outcome = Outcome()
    try:
        cloud = Simulator(job_delay=0.5, preload=size)
        lossy = cloud.faults = Lossy(seed)
        with tempfile.TemporaryDirectory() as home, cloud, Site(Path(home), postgres, cloud, 3) as site:
            lossy.share = share
            storm(site, outcome, size, every, seed)
            wrong = untrue(site, outcome, 2 * size)
            listed = {item["name"] for item in site.replicas[0].api().get("zones/ch-gv2/instances")["items"]}
            if listed != set(site.names()):
                wrong.append(f"the list differs: {sorted(listed ^ set(site.names()))}")
    finally:
        postgres.remove()
    failed = [operation for operation in outcome.done.values() if "error" in operation]
    print(f"{len(outcome.done)} operations DONE in {outcome.seconds:.0f} s, {len(failed)} with an error;"
          f" {outcome.kills} kills, {_pauses(outcome)}; {lossy.dropped} dropped; {len(wrong)} untrue")
    print("\n".join(f"{times:6} {what}" for what, times in outcome.trouble.most_common(20)))
    print("\n".join(str(operation["error"]) for operation in failed[:10]))
    print("\n".join(wrong[:20]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, *map(float, sys.argv[2:4]))
