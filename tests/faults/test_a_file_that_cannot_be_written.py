"""A SQLite file that others hold, or that may not be written: clear 503s, reads go on, and recovery by itself."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gcelib.simulator import Simulator
from tests.conftest import Launch
from tests.faults.disks import Impossible, Loop, immutable
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


def launched(launch: Launch, home: Path) -> tuple[Live, Simulator, list[Any]]:
    """A server that waits half a second for a lock, with three machines under way."""
    live, cloud = launch(job_delay=1.0, server_extra=f'database = "sqlite:///{home}/gcelib.sqlite?timeout=0.5"')
    api = live.api()
    return live, cloud, [api.call("POST", HERE, machine(f"early-{number}")).data for number in range(3)]


def refused(live: Live, why: str) -> None:
    """Changes are refused at once, in Google's words; what is there is shown all the same, and /readyz says why."""
    api = live.api()
    for number in range(3):
        asked = time.monotonic()
        answer = api.call("POST", HERE, machine(f"refused-{number}"))
        assert (answer.status, answer.reason) == (503, "backendError")
        assert why in answer.message
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - asked < 5.0
    assert {item["name"] for item in api.get(HERE)["items"]} >= {f"early-{number}" for number in range(3)}
    ready = requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=30)
    assert ready.status_code == 200
    assert why in ready.json()["writes"]


def well(live: Live, cloud: Simulator, begun: list[Any]) -> None:
    """Everything that was accepted is done, nothing that was refused, and changes are taken again."""
    api = live.api()
    for operation in begun:
        assert "error" not in api.until_done(operation)
    api.change("POST", HERE, machine("late"))
    made = sorted(row["name"] for row in cloud.world.machines())
    assert made == ["early-0", "early-1", "early-2", "late"]
    assert sorted(item["name"] for item in api.get(HERE)["items"]) == made


def test_a_file_that_another_process_holds_for_long(launch: Launch, tmp_path: Path) -> None:
    live, cloud, begun = launched(launch, tmp_path)
    other = sqlite3.connect(tmp_path / "gcelib.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    refused(live, "locked")
    other.close()
    well(live, cloud, begun)


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder where files outlive a restart: what the tests write otherwise may be in memory."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def test_a_file_that_may_not_be_written_for_a_while(on_disk: Path, launch: Launch) -> None:
    live, cloud, begun = launched(launch, on_disk)
    # Not the -shm: who has that in memory and may not write it is ended by the system.
    with immutable([on_disk / "gcelib.sqlite", on_disk / "gcelib.sqlite-wal"]) as done:
        if not done:
            pytest.skip("files cannot be made immutable here: that takes root, chattr and a file system with it")
        refused(live, "gcelib's own database")
    well(live, cloud, begun)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """A file system in a file."""
    try:
        made = Loop(tmp_path)
    except Impossible as reason:
        pytest.skip(str(reason))
    yield made
    made.unmount()


def test_a_file_system_that_turns_read_only_and_is_repaired(loop: Loop, launch: Launch) -> None:
    live, cloud, begun = launched(launch, loop.place)
    try:
        loop.spoil()
    except Impossible as reason:
        pytest.skip(str(reason))
    refused(live, "gcelib's own database")
    live.stop()
    loop.repair()
    live.start()
    well(live, cloud, begun)
    live.stop()
