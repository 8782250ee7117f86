"""A cloud whose deeds survive any process: a file with one line per machine; run as a program, a server of it.

    python ledger.py FOLDER COUNT    begins COUNT inserts at once on the books in FOLDER, and carries on what is open
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gcelib.models import Job, JobState
from gcelib.server.operations.plan import Step, Work
from gcelib.server.operations.runner import Runner
from gcelib.store import Store


class LedgerCloud:
    """Machines as lines of a file. A call takes up to `slowness` seconds before and after the deed."""

    name = "ledger"
    provider = "pretend"

    def __init__(self, path: Path, slowness: float = 0.0, seconds: float = 0.5) -> None:
        self.path = path
        self.slowness = slowness
        self.seconds = seconds
        path.touch()

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        time.sleep(random.random() * self.slowness)
        line = json.dumps({"key": key, "name": args["name"], "done": time.time() + self.seconds})
        with self.path.open("a") as ledger:
            ledger.write(line + "\n")
        time.sleep(random.random() * self.slowness)
        return self._job(json.loads(line))

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        return next((self._job(entry) for entry in self.entries() if entry["key"] == key), None)

    def poll(self, job: Job) -> Job:
        return self._job(next(entry for entry in self.entries() if entry["key"] == job.token))

    def entries(self) -> list[dict[str, Any]]:
        """Every machine, in the order in which they were made."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def _job(self, entry: dict[str, Any]) -> Job:
        state = JobState.RUNNING if time.time() < entry["done"] else JobState.DONE
        return Job(state, entry["key"], "id-of-" + entry["name"])


def server(folder: Path, slowness: float = 0.0) -> Runner:
    """A runner over the books and the ledger in a folder."""
    cloud = LedgerCloud(folder / "ledger", slowness)
    return Runner(
        Store.open(f"sqlite:///{folder / 'gcelib.db'}"),
        lambda project, name: cloud,  # type: ignore[arg-type,return-value]
        number_of=lambda cloud, kind, id: id,
    )


def insert(name: str) -> Work:
    """The insert of one machine."""
    step = Step("node", "ledger", "nodes", "create", {"name": name})
    return Work("insert", f"demo/zones/z/instances/{name}", [step], "node", "", "node")


def main(folder: Path, count: int) -> None:
    """Begin the inserts in as many threads, and carry on until killed."""
    runner = server(folder, slowness=1.0)
    runner.start()

    def begin(name: str) -> None:
        runner.begin(insert(name), project="demo", scope="zones/z", caller="ann")

    threads = [threading.Thread(target=begin, args=[f"n{number}"]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("all begun", os.getpid(), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
