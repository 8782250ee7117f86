"""Operations by the screenful, in both kinds of database."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gcelib.store import Store, glimpses
from gcelib.store.glimpses import Glimpses, Tally
from gcelib.store.operations import Operations
from gcelib.store.records import Record
from tests.postgres import Postgres, programs


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: what people see of operations was not looked up in it")
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "SQLite":
        made = Store.open(f"sqlite:///{tmp_path}/books.sqlite")
    else:
        made = Store.open(request.getfixturevalue("postgres").database(uuid.uuid4().hex))
    yield made
    made.close()


@pytest.fixture
def some(store: Store) -> Glimpses:
    """Three that are open, of which the second is the oldest, and three that ended, of which one failed."""
    operations, now = Operations(store), time.time()
    for name, project, begun in (("b", "demo", 20.0), ("a", "demo", 10.0), ("c", "other", 30.0)):
        operations.insert(record(name, project, begun, now))
    for name, project, error in (("x", "demo", None), ("y", "other", {"errors": [{"message": "No."}]}),
                                 ("z", "demo", None)):
        kept = operations.insert(record(name, project, 5.0, now))
        time.sleep(0.01)  # They are in the order in which they ended, by the database's clock.
        assert operations.save(replace(kept, status="DONE", end_time=now, error=error, due=time.time()), known=kept.due)
    return Glimpses(store)


def record(name: str, project: str, begun: float, now: float) -> Record:
    return Record(
        id=name, name=f"operation-{name}", number="1", project=project, scope="zones/z", verb="insert",
        target=f"{project}/zones/z/disks/{name}", status="RUNNING", insert_time=begun, due=now, holder="me",
        lease_until=now + 60, state={"steps": {"disk": {"phase": "submitted"}}}, work={"verb": "insert"},
    )


def test_those_under_way_come_oldest_first_and_those_that_ended_last_one_first(some: Glimpses) -> None:
    assert [row.id for row in some.open(None, 10)] == ["a", "b", "c"]
    assert [row.id for row in some.open(None, 1, skip=1)] == ["b"]
    assert [row.id for row in some.open(["other", "nowhere"], 10)] == ["c"]
    assert some.open([], 10) == []
    assert [row.id for row in some.ended(None, 10)] == ["z", "y", "x"]
    assert [row.id for row in some.ended(["demo"], 10)] == ["z", "x"]
    (failed,) = some.ended(None, 10, failed=True)
    assert (failed.id, failed.error, failed.done) == ("y", {"errors": [{"message": "No."}]}, True)
    assert some.open(None, 1)[0].state == {"steps": {"disk": {"phase": "submitted"}}}


def test_they_are_counted_by_project(some: Glimpses) -> None:
    assert some.count() == 3
    assert some.tallies(None) == {"demo": Tally(2, 10.0, 2, 0), "other": Tally(1, 30.0, 1, 1)}
    assert some.tallies(["other"]) == {"other": Tally(1, 30.0, 1, 1)}


def test_one_is_found_by_its_name_alone(some: Glimpses) -> None:
    assert some.place("operation-y") == ("other", "zones/z")
    assert some.place("operation-nobody") is None


def test_only_so_many_that_ended_are_looked_at(some: Glimpses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glimpses, "LOOKED_AT", 2)
    assert [row.id for row in some.ended(None, 10)] == ["z", "y"]
    assert some.tallies(["demo"])["demo"].ended == 1
