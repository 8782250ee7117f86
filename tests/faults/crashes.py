"""Ends gcelib at a labelled point of a change, starts it again, and compares the cloud's books with an unharmed run's.

`python -m tests.faults.crashes 1000 [first seed]` tries that many seeds: each is a change, a point or two, and the way
back. A point is before and after every write to the store and every command that changes something on the cloud.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gcelib.simulator import Simulator
from tests.conftest import launched
from tests.faults.halfway import READS, Books
from tests.faults.test_half_way import CASES, furnish
from tests.live import Live

KILLED = 9
SECONDS = 60.0
NEW = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|ROOT-\d+|-x[0-9a-f]{8}\b|(?<=:vm:n:)[0-9a-f]{8}|\b\d+\.\d+\.\d+\.\d+\b")
"""What of a name is another each time."""

Call = tuple[str, str, Any]
"""Method, path below the project, body."""


@dataclass
class Life:
    """What one process did: the operations it saw DONE, the points it came by; `killed` at the last of them."""

    killed: bool
    points: list[str]
    operations: list[dict[str, Any]] = field(default_factory=list)


class Points:
    """Counts the points in this process, and ends it at one of them; what went by is in a file, line by line."""

    def __init__(self, last: int, log: Path) -> None:
        self._last, self._count = last, 0
        self._log = log.open("a", buffering=1)

    def pass_by(self, label: str) -> None:
        """One point."""
        self._count += 1
        self._log.write(f"{label}\n")
        if self._count == self._last:
            os._exit(KILLED)

    def around(self, owner: Any, name: str, label: Callable[..., str]) -> None:
        """Points before and after every call of a method; none where `label` gives "" for its arguments."""
        plain = getattr(owner, name)

        def wrapped(*args: Any, **options: Any) -> Any:
            what = label(*args)
            if what:
                self.pass_by(f"before {what}")
            found = plain(*args, **options)
            if what:
                self.pass_by(f"after {what}")
            return found

        setattr(owner, name, wrapped)


def live_once(config: str, token: str, calls: Sequence[tuple[str, Call]], last: int, folder: str) -> None:
    """A server's life, in a process of its own: ask for the changes by their request ids, and see each DONE."""
    from gcelib.config.reading import load
    from gcelib.server.assemble import Server
    from gcelib.server.operations import carry
    from gcelib.store.notes import Notes
    from gcelib.store.operations import Operations
    from gcelib.web import Request

    carry.LOOKS = (0.02, 0.04, 0.06)  # The cloud is near: whatever was sent is there by now.
    points = Points(last, Path(folder) / "points")
    points.around(Operations, "insert", lambda *args: "storing the operation")
    points.around(Operations, "_write", lambda books, record, *args: f"storing its course ({record.status})")
    for verb in ("put", "merge", "delete"):
        points.around(Notes, verb, lambda *args: "storing a note")
    _around_the_cloud(points)
    server = Server(load(Path(config)))
    server.start()

    def ask(method: str, path: str, body: Any = None, **query: str) -> Any:
        request = Request(
            method, f"/compute/v1/projects/demo/{path}", urlencode(query),
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
            json.dumps(body).encode() if body is not None else b"", "http://localhost",
        )
        answer = server.api(request)
        assert answer.status == 200, (path, answer.body)
        return json.loads(answer.body)

    with (Path(folder) / "operations").open("w") as told:
        for id, (method, path, body) in calls:
            operation = ask(method, path, body, requestId=id)
            path = operation["selfLink"].partition("/projects/demo/")[2]
            until = time.monotonic() + SECONDS
            while operation["status"] != "DONE" and time.monotonic() < until:
                operation = ask("POST", f"{path}/wait")
            told.write(json.dumps(operation) + "\n")
    server.quiesce()
    server.stop()


def _around_the_cloud(points: Points) -> None:
    import requests

    def label(session: Any, request: Any, *args: Any) -> str:
        text = f"{request.url}&{request.body if isinstance(request.body, str) else (request.body or b'').decode()}"
        found = re.search(r"[?&]command=(\w+)", text)
        return f"sending {found[1]}" if found and not found[1].startswith(READS) else ""

    points.around(requests.Session, "send", label)


class Crashes:
    """A cloud with something on it, and one server's books that every life goes on with."""

    def __init__(self, live: Live, books: Books, home: Path) -> None:
        self._config, self._token, self._home = live.config, live.token, home
        self.books = books
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["gcelib.server.assemble", "gcelib.drivers.cloudstack.cloud", __name__])
        self._plain: dict[str, tuple[Counter[str], int, int]] = {}
        self._lives = 0

    def life(self, calls: Sequence[tuple[str, Call]], last: int = 0) -> Life:
        """One life, killed at point number `last`, or never."""
        self._lives += 1
        folder = self._home / f"life{self._lives}"
        folder.mkdir()
        work = (str(self._config), self._token, calls, last, str(folder))
        process = self._processes.Process(target=live_once, args=work)
        process.start()
        process.join(3 * SECONDS)
        assert process.exitcode in (0, KILLED), f"the process ended with {process.exitcode}"
        points = (folder / "points").read_text().splitlines()
        if process.exitcode:
            return Life(True, points)
        return Life(False, points, [json.loads(line) for line in (folder / "operations").read_text().splitlines()])

    def kinds(self) -> Counter[str]:
        """How many things of each kind and name are on the cloud; names of chance are all the same."""
        return Counter(NEW.sub("*", row.rpartition(" ")[0]) for row in self.books.cloud_rows())

    def rows(self) -> dict[str, Any]:
        """What is on the cloud, but for machines' own groups: they go when the janitor finds them without machine."""
        return {name: row for name, row in self.books.cloud_rows().items() if ":vm:" not in name}

    def plain(self, case: str) -> tuple[Counter[str], int, int]:
        """What a change makes when nobody is killed, and the points of it and of its way back."""
        if case not in self._plain:
            there, back = changes(case)
            for calls in (there, back):
                # The first time makes what stays: groups for tags, notes of zones.
                self.done(calls, [])
            before = self.kinds()
            forth = self.done(there, [])
            found = self.kinds() - before
            self._plain[case] = (found, forth, self.done(back, []))
        return self._plain[case]

    def done(self, calls: Sequence[Call], kills: Sequence[int]) -> int:
        """Have changes done by lives that are killed at these points, and one that is not; the last one's points."""
        asked = [(str(uuid.uuid4()), call) for call in calls]
        for last in kills:
            self.life(asked, last)
        life = self.life(asked)
        for operation in life.operations:
            assert operation["status"] == "DONE", operation
            assert "error" not in operation, operation
        assert len(life.operations) == len(calls)
        return len(life.points)

    def attempt(self, seed: int) -> str:
        """One seed; what was tried. Raises AssertionError when the books are not as they should be."""
        dice = random.Random(seed)
        case = dice.choice(sorted(CASES))
        found, forth, back = self.plain(case)
        before, notes, kinds = self.rows(), self.books.notes(), self.kinds()
        there, away = changes(case)
        kills = [[dice.randint(1, points) for _ in range(dice.choice((1, 1, 1, 2)))] for points in (forth, back)]
        tried = f"seed {seed}: {case}, killed at {kills[0]} of {forth}, undone, killed at {kills[1]} of {back}"
        self.done(there, kills[0])
        made = self.kinds() - kinds
        assert made == found, (tried, made - found, found - made)
        self.done(away, kills[1])
        after = self.rows()
        assert after == before, (tried, sorted(set(after) ^ set(before)))
        assert self.books.notes() == notes, tried
        return tried


def changes(case: str) -> tuple[list[Call], list[Call]]:
    """A change of `CASES`, and what takes it back."""
    path, body, made = CASES[case]
    back = [("DELETE", each, None) for each in made]
    return [("POST", path, body)], back


@contextmanager
def crashes(home: Path) -> Iterator[Crashes]:
    """A simulator and a server's books, furnished."""
    with Simulator(job_delay=0.02) as cloud:
        live = launched(home / "server", cloud)
        furnish(live.api())
        books = Books(live, cloud)
        live.stop()
        yield Crashes(live, books, home)


def main(count: int, first: int) -> None:
    """Try seeds, and say how many went well."""
    wrong = 0
    with tempfile.TemporaryDirectory() as home, crashes(Path(home)) as made:
        for seed in range(first, first + count):
            try:
                print(made.attempt(seed), flush=True)
            except AssertionError as error:
                wrong += 1
                print(f"WRONG {seed} {error}", flush=True)
                break
    print(f"{count - wrong} of {count} went well")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
