"""What is on the books of a PostgreSQL that several processes write: bounds hold, and only the holder writes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gcelib.errors import Exists, NotReady, Stale, TooMany
from gcelib.store import Store
from gcelib.store.operations import Operations
from gcelib.store.records import Record
from tests.postgres import Postgres

MOST, THREADS = 10, 8


@pytest.fixture
def books(postgres: Postgres) -> Iterator[list[Operations]]:
    """Those of two processes."""
    url = postgres.database("books")
    stores = [Store.open(url) for _ in range(2)]
    yield [Operations(store) for store in stores]
    for store in stores:
        store.close()
    postgres.execute("DROP DATABASE books")


def record(name: str, holder: str = "me") -> Record:
    return Record(
        id=name, name=name, number="1", project="demo", scope="global", verb="insert", target=f"demo/{name}",
        insert_time=1.5, due=1_700_000_000.1234567, holder=holder, lease_until=1_700_000_001.0,
    )


def test_open_operations_of_a_project_are_bounded_over_all_processes(books: list[Operations]) -> None:
    def begin(number: int) -> bool:
        try:
            books[number % 2].insert(record(f"n{number}"), most=MOST)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        taken = sum(pool.map(begin, range(60)))
    # Those that are put there in the same instant do not see each other.
    assert MOST <= taken < MOST + THREADS
    assert len(books[0].open()) == taken


def test_only_who_wrote_last_or_took_it_over_writes(books: list[Operations]) -> None:
    one, other = books
    mine = one.insert(record("a"))
    written = replace(mine, due=1_700_000_002.7654321, lease_until=1_700_000_002.8)
    assert one.save(written, (), mine.due)
    assert not one.save(written, (), mine.due)
    taken = []
    while not taken:
        taken = other.claim("you", 1_700_000_009.3, 0.0)
    assert not one.save(replace(written, progress=9), (), written.due)
    back = []
    while not back:
        back = one.claim("me", 1_700_000_019.7, 0.0)
    assert not one.save(replace(written, progress=9), (), written.due)
    assert one.save(replace(back[0], progress=50), (), back[0].due)


def test_who_has_not_heard_that_an_operation_is_cancelled_writes_no_more_of_it(books: list[Operations]) -> None:
    one, other = books
    mine = one.insert(record("a"), request="sealed")
    assert other.cancel(mine.id, "olga", lambda record: "").canceller == "olga"
    assert not one.save(replace(mine, progress=9), (), mine.due)
    assert one.cancelled("me") == {"a": "olga"}
    with pytest.raises(NotReady, match="no more"):
        other.cancel(mine.id, "otto", lambda record: "no more")
    heard = one.get("demo", "global", "a")
    assert heard.canceller == "olga"
    failed = replace(heard, status="DONE", error={"errors": [{"code": "X", "message": "x"}]}, end_time=5.0)
    assert one.save(failed, (), mine.due)
    assert (other.cancelled("me"), other.request("a"), other.get("demo", "global", "a").repeatable) == (
        {}, "sealed", True)
    assert other.forget_requests(6.0) == 1
    assert (other.request("a"), other.get("demo", "global", "a").repeatable) == ("", False)


def test_what_ended_on_one_is_known_at_the_other_whatever_their_clocks_say(books: list[Operations]) -> None:
    one, other = books
    before = other.moment()
    mine = one.insert(record("first"))
    wrong = time.time() + 600.0
    assert one.save(replace(mine, status="DONE", due=wrong, end_time=wrong), (), mine.due)
    again = replace(record("second"), target=mine.target)
    with pytest.raises(Exists, match="operation 'first' just made it"):
        other.insert(again, planned=before)
    assert other.insert(again, planned=other.moment()) == again


def test_a_fingerprint_compared_on_one_does_not_outlast_a_change_by_the_other(books: list[Operations]) -> None:
    one, other = books
    before = other.moment()
    mine = one.insert(replace(record("labels"), verb="setLabels"), compared=True, planned=before)
    again = replace(record("again"), verb="setLabels", target=mine.target)
    with pytest.raises(Stale, match=r"'labels' \(setLabels\) is changing"):
        other.insert(again, compared=True, planned=before)
    assert one.save(replace(mine, status="DONE", end_time=time.time()), (), mine.due)
    with pytest.raises(Stale, match=r"'labels' \(setLabels\) has just changed"):
        other.insert(again, compared=True, planned=before)
    assert other.insert(again, compared=True, planned=other.moment()) == again
