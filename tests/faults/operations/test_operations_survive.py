"""Operations under kill -9, load, a database that goes away, and waiting clients: real threads, real time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger import insert, server

from gcelib.errors import Unavailable
from gcelib.server.operations.runner import Runner
from gcelib.store import Store
from gcelib.store.operations import Operations
from gcelib.store.records import Record


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def begin(runner: Runner, name: str) -> Record:
    return runner.begin(insert(name), project="demo", scope="zones/z", caller="ann")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    made = server(tmp_path)
    made.start()
    yield made
    made.stop()
    made.operations._store.close()


def cloud_of(runner: Runner) -> Any:
    return runner._turns._advance._carrier._reach._clouds("demo", "ledger")


def lines(folder: Path) -> list[str]:
    path = folder / "ledger"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("deeds", [0, 20, 50])
def test_killed_with_50_inserts_in_flight_every_operation_ends_and_50_machines_are_there(
    tmp_path: Path, deeds: int
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'gcelib.db'}")
    books = Operations(store)
    program = Path(__file__).with_name("ledger.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, str(program), str(tmp_path), "50"], env=environment)
    try:
        until(lambda: len(books.list("demo")) == 50 and len(lines(tmp_path)) >= deeds)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert books.open()
    runner = server(tmp_path)
    runner.start()
    until(lambda: not books.open())
    runner.stop()
    ended = books.list("demo")
    assert [record.error for record in ended] == [None] * 50
    assert {record.target_id for record in ended} == {f"id-of-n{number}" for number in range(50)}
    assert len(lines(tmp_path)) == 50
    runner.operations._store.close()
    store.close()


def test_500_operations_at_once_end_on_four_threads(runner: Runner) -> None:
    before = threading.active_count()
    names = [begin(runner, f"n{number}").name for number in range(500)]
    assert threading.active_count() <= before
    assert sum(thread.name.startswith("operations-") and "keeper" not in thread.name
               for thread in threading.enumerate()) == 4
    until(lambda: not runner.operations.open())
    assert {each.name for each in runner.operations.list("demo") if each.error is None} == set(names)


def test_an_operation_is_done_soon_after_its_job(runner: Runner) -> None:
    cloud_of(runner).seconds = 0.2
    times = []
    for number in range(5):
        record = begin(runner, f"n{number}")
        done = runner.wait("demo", "zones/z", record.name, 10.0)
        times.append((done.end_time or 0.0) - record.insert_time)
    assert sorted(times)[2] <= 0.4


def test_waiting_ends_with_the_operation_or_with_its_time(runner: Runner) -> None:
    cloud_of(runner).seconds = 1.0
    record = begin(runner, "n")
    before = time.monotonic()
    assert runner.wait("demo", "zones/z", record.name, 0.2).status == "RUNNING"
    assert time.monotonic() - before < 0.8
    assert runner.wait("demo", "zones/z", record.name, 30.0).status == "DONE"
    assert time.monotonic() - before < 5.0
    assert runner.wait("demo", "zones/z", record.name, 30.0).status == "DONE"


def test_more_waiters_than_seats_are_answered_at_once(runner: Runner) -> None:
    cloud_of(runner).seconds = 3.0
    record = begin(runner, "n")
    waiting = [
        threading.Thread(target=runner.wait, args=["demo", "zones/z", record.name, 30.0]) for _ in range(16)
    ]
    for thread in waiting:
        thread.start()
    until(lambda: runner._waiting._free == 0)
    before = time.monotonic()
    assert runner.wait("demo", "zones/z", record.name, 30.0).status == "RUNNING"
    assert time.monotonic() - before < 0.5
    for thread in waiting:
        thread.join(10.0)
    assert not any(thread.is_alive() for thread in waiting)
    assert runner.operations.open() == []


def test_stopping_lets_the_next_start_go_on_at_once(tmp_path: Path) -> None:
    first = server(tmp_path)
    cloud_of(first).seconds = 1.5
    first.start()
    record = begin(first, "n")
    first.stop()
    assert not any(thread.is_alive() for thread in first._threads)
    with pytest.raises(Unavailable, match="shutting down"):
        begin(first, "m")
    assert [(each.holder, each.lease_until) for each in first.operations.open()] == [("", 0.0)]
    second = server(tmp_path)
    second.start()
    assert second.wait("demo", "zones/z", record.name, 20.0).error is None
    assert len(lines(tmp_path)) == 1
    second.stop()
    for each in (first, second):
        each.operations._store.close()


def test_while_the_database_is_away_nothing_is_lost_or_done_twice(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud_of(runner).seconds = 1.0
    begun = [begin(runner, f"n{number}") for number in range(5)]
    failures = []

    def failing(record: Record, *changes: Any, **options: Any) -> bool:
        failures.append(record.name)
        raise Unavailable("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(runner.operations, "save", failing)
        until(lambda: len(set(failures)) == 5)
        late = begin(runner, "late")
        patch.setattr(runner.operations, "insert", failing)
        with pytest.raises(Unavailable):
            begin(runner, "refused")
    assert len(lines(tmp_path)) == 5
    until(lambda: not runner.operations.open())
    ended = {each.name: each for each in runner.operations.list("demo")}
    assert set(ended) == {each.name for each in (*begun, late)}
    assert all(each.error is None for each in ended.values())
    assert len(lines(tmp_path)) == 6


def test_an_hourly_task_that_breaks_is_logged_and_hurts_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runner = server(tmp_path)
    ran = threading.Event()

    def broken() -> None:
        ran.set()
        raise KeyError("oops")

    runner._hourly = broken
    runner._houred -= 3600.0
    runner.start()
    assert ran.wait(10.0)
    until(lambda: "clearing away broke" in caplog.text)
    record = begin(runner, "n")
    assert runner.wait("demo", "zones/z", record.name, 10.0).status == "DONE"
    runner.stop()
    runner.operations._store.close()
