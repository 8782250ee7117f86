"""A disk that is full, or a file that may not grow: clear 503s, then recovery by itself, and no operation is lost."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Launch
from tests.faults.disks import fill, small
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; only root may make one."""
    with small(tmp_path, 2) as made:
        if made is None:
            pytest.skip("no small file system can be mounted here")
        yield made


def refused_until_full(live: Live, first: int) -> str:
    """Ask for machines until the store takes no more; what is said then."""
    api = live.api()
    for number in range(first, first + 400):
        answer = api.call("POST", HERE, machine(f"full-{number}", description="d" * 2000))
        if answer.status != 200:
            assert answer.status == 503, answer.data
            assert int(answer.headers["Retry-After"]) > 0
            return answer.message
    raise AssertionError("the disk never was full")


def test_a_full_disk_is_said_so_and_operations_go_on_when_there_is_room(launch: Launch, place: Path) -> None:
    live, cloud = launch(job_delay=1.0, server_extra=f'database = "sqlite:///{place}/gcelib.sqlite"')
    api = live.api()
    begun = [api.call("POST", HERE, machine(f"early-{number}")).data for number in range(3)]
    ballast = fill(place)
    assert "gcelib's own database" in refused_until_full(live, 0)
    time.sleep(2.0)
    ballast.unlink()
    for operation in begun:
        assert "error" not in api.until_done(operation)
    api.change("POST", HERE, machine("late"))
    everything = [api.until_done(row) for row in api.get("zones/ch-gv2/operations")["items"]]
    assert not [operation["error"] for operation in everything if "error" in operation]
    asked = {operation["targetLink"].rpartition("/")[2] for operation in everything}
    there = sorted(row["name"] for row in cloud.world.machines())
    assert there == sorted(asked)


def test_a_database_that_may_not_grow_is_said_so_and_operations_go_on_when_it_may(launch: Launch) -> None:
    live, cloud = launch(job_delay=1.0)
    api = live.api()
    begun = [api.call("POST", HERE, machine(f"early-{number}")).data for number in range(3)]
    assert live.process is not None
    unlimited = resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE)
    state = live.home / "state"
    largest = max(os.path.getsize(state / name) for name in ("gcelib.sqlite", "gcelib.sqlite-wal"))
    resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (largest, unlimited[1]))
    assert "gcelib's own database" in refused_until_full(live, 0)
    time.sleep(1.0)
    resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, unlimited)
    for operation in begun:
        assert "error" not in api.until_done(operation)
    everything = [api.until_done(row) for row in api.get("zones/ch-gv2/operations")["items"]]
    assert not [operation["error"] for operation in everything if "error" in operation]
    assert sorted(row["name"] for row in cloud.world.machines()) == sorted(
        operation["targetLink"].rpartition("/")[2] for operation in everything)
