"""One run of the soak: its replicas, the jobs that go on side by side, and what was counted and found broken."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import requests

from tests.live import Live
from tests.replicas.site import Site

PATIENCE = 120.0
"""Seconds in which one of the replicas must answer."""
UNANSWERED = (429, 503)


class Over(Exception):
    """The time is up: a round ends where it is, and what it made stays."""


class Soak:
    """What all jobs share. Safe for threads; `broken` are findings, each of which fails the run."""

    def __init__(self, site: Site, seed: int, seconds: float, trust: str | bool = True) -> None:
        self.site, self.seed, self.trust = site, seed, trust
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._local = threading.local()

    @property
    def passed(self) -> float:
        """How much of the run is over, 0 to 1."""
        return min(1.0, (time.monotonic() - self.begun) / (self.until - self.begun))

    def count(self, what: str, times: int = 1) -> None:
        """So many more of it."""
        with self._lock:
            self.counts[what] += times

    def find(self, what: str) -> None:
        """Something is not as it should be."""
        with self._lock:
            self.broken.append(what[:400])

    def run(self, jobs: Sequence[Job]) -> None:
        """All jobs, each again and again in a thread of its own, until the time is up."""
        threads = [threading.Thread(target=self._again, args=(job, self.seed * 100 + number))
                   for number, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        try:
            self.over.wait(self.until - time.monotonic())
        finally:
            # Somebody may have lost patience: nothing is to go on, and nothing to be started again, behind the end.
            self.over.set()
            for thread in threads:
                thread.join()

    def _again(self, job: Job, seed: int) -> None:
        dice = random.Random(seed)
        try:
            while not self.over.is_set():
                job(self, dice)
        except Over:
            return
        except Exception as error:  # The run goes on without it, and fails at the end.
            self.find(f"{getattr(job, '__name__', job)}: {type(error).__name__}: {error}")

    def rest(self, seconds: float) -> None:
        """Do nothing for so long, or until the time is up."""
        self.over.wait(seconds)

    def session(self, live: Live) -> requests.Session:
        """This thread's connections to a replica."""
        known = self._local.__dict__.setdefault("sessions", {})
        if live.url not in known:
            known[live.url] = requests.Session()
            known[live.url].trust_env = False
            known[live.url].verify = self.trust
        found: requests.Session = known[live.url]
        return found

    def ask(self, dice: random.Random, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer's body, asked of any replica until one gives one; a 500 is a finding."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            live = dice.choice(self.site.replicas)
            try:
                answer = self.session(live).request(verb, live.url + path, json=body, params=query, timeout=60,
                                                    headers={"Authorization": f"Bearer {live.token}"})
                said = answer.json()
            except requests.RequestException:
                self.count("connections lost")
                time.sleep(0.2)
                continue
            if answer.status_code == 500:
                self.find(f"{verb} {path}: {said}")
            if answer.status_code not in UNANSWERED:
                return said
            self.count(f"asked again after {answer.status_code}")
            time.sleep(0.5)
        self.find(f"{verb} {path}: no answer within two minutes")
        return {"error": {"code": 0, "message": "no answer"}}

    def change(self, dice: random.Random, verb: str, path: str, body: Any = None) -> bool:
        """A change until its operation is DONE; whether it was done. Raises Over."""
        if self.over.is_set():
            raise Over
        said = self.ask(dice, verb, path, body, requestId=str(uuid.UUID(int=dice.getrandbits(128), version=4)))
        while "error" not in said and said.get("status") != "DONE":
            if self.over.wait(0.2):
                raise Over
            said = self.ask(dice, "GET", "/compute" + said["selfLink"].partition("/compute")[2])
        self.count("changes refused or failed" if "error" in said else "changes done")
        return "error" not in said


Job = Callable[[Soak, random.Random], None]
"""One round of a client or of a nuisance; it is called again and again."""
