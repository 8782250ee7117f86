"""What a process learns of others' changes by marks in Redis, and by the database where Redis cannot be trusted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import pytest

from gcelib.errors import Invalid, Unavailable
from gcelib.store import Store
from gcelib.store.generations import EVERYTHING, NOTES, bump
from gcelib.store.marked import FRESH, VOID, Marked
from gcelib.store.marks import Marks, shown
from gcelib.store.notes import Notes
from tests.postgres import Postgres
from tests.redis_server import RedisServer

CHANGE = [("sim", "")]


@pytest.fixture
def store(postgres: Postgres) -> Iterator[Store]:
    opened = Store.open(postgres.database(f"marks-{secrets.token_hex(4)}"))
    yield opened
    opened.close()


@pytest.fixture
def two(store: Store, redis_server: RedisServer) -> Iterator[tuple[Marked, Marked]]:
    """As two processes have them."""
    made = Marked(store, Marks(redis_server.url)), Marked(store, Marks(redis_server.url))
    yield made
    for each in made:
        each.close()


def change(store: Store, who: Marked) -> None:
    """As an operation's step is put on the books."""
    who.tell(CHANGE)
    with store.write() as connection:
        bump(connection, CHANGE)


def test_a_change_of_one_is_another_number_at_the_other(store: Store, two: tuple[Marked, Marked]) -> None:
    one, other = two
    before = other.numbers(["sim", "else"])
    assert other.numbers(["sim", "else"]) == before
    change(store, one)
    after = other.numbers(["sim", "else"])
    assert after["sim"][""] != before["sim"].get("")
    assert after["sim"][EVERYTHING] == before["sim"][EVERYTHING]
    assert after["else"] == before["else"]
    one.tell([("sim", "images")])
    assert other.numbers(["sim"])["sim"].keys() == {EVERYTHING, "", "images"}


def test_while_nothing_changes_the_database_is_hardly_asked(
    store: Store, two: tuple[Marked, Marked], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = Store.read

    def counted(self: Store) -> object:
        nonlocal asked
        asked += 1
        return read(self)

    monkeypatch.setattr(Store, "read", counted)
    began = time.monotonic()
    for _ in range(200):
        two[1].numbers(["sim"])
    assert asked <= 1 + (time.monotonic() - began) / FRESH


def test_after_a_flush_nothing_counts_as_seen(two: tuple[Marked, Marked], redis_server: RedisServer) -> None:
    one, other = two
    before = other.numbers(["sim"])
    one.tell(CHANGE)
    redis_server.flush()
    assert other.numbers(["sim"])["sim"][EVERYTHING] != before["sim"][EVERYTHING]


def test_after_a_restart_with_older_marks_nothing_counts_as_seen(
    two: tuple[Marked, Marked], redis_server: RedisServer
) -> None:
    one, other = two
    one.tell(CHANGE)
    before = other.numbers(["sim"])
    redis_server.keep()
    one.tell(CHANGE)
    redis_server.stop()
    redis_server.start()
    after = other.numbers(["sim"])
    assert after["sim"][""] == before["sim"][""]
    assert after["sim"][EVERYTHING] != before["sim"][EVERYTHING]


def test_who_cannot_set_a_mark_has_all_others_ask_the_database(store: Store, two: tuple[Marked, Marked]) -> None:
    _, other = two
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    alone = Marked(store, Marks("unix:///nowhere/socket"), sleep=sleep)
    before = other.numbers(["sim"])
    change(store, alone)
    assert other.numbers(["sim"]) == {"sim": {"": 1}}
    assert (other.sign(), other.void()) == ("ok", True)
    change(store, alone)
    assert slept == [FRESH], "all know already"
    assert other.numbers(["sim"]) == {"sim": {"": 2}}
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE generations SET number = 0 WHERE place = 'redis:' AND kind = 'until'")
    until = time.monotonic() + FRESH * 4
    while EVERYTHING not in (after := other.numbers(["sim"]))["sim"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert after["sim"][EVERYTHING] != before["sim"][EVERYTHING]


def test_others_are_waited_for_that_still_go_by_the_marks(store: Store) -> None:
    now, slept = 100.0, []
    alone = Marked(store, Marks("unix:///nowhere/socket"), lambda: now, slept.append)
    alone.tell(CHANGE)
    assert slept == [FRESH]
    alone.tell(CHANGE)
    now += VOID / 2
    alone.tell(CHANGE)
    assert slept == [FRESH], "it was renewed while it held"
    now += VOID * 2
    alone.tell(CHANGE)
    assert slept == [FRESH, FRESH]


def test_a_redis_that_hangs_keeps_nobody_for_long(two: tuple[Marked, Marked], redis_server: RedisServer) -> None:
    one, other = two
    other.numbers(["sim"])
    redis_server.hang()
    began = time.monotonic()
    assert other.numbers(["sim"]) == {}
    assert time.monotonic() - began < 5.0
    began = time.monotonic()
    for _ in range(40):
        other.numbers(["sim"])
    assert time.monotonic() - began < 10.0, "it rests: 40 attempts would take twice as long"
    began = time.monotonic()
    one.tell(CHANGE)
    assert time.monotonic() - began < 5.0


def test_a_note_is_another_version_at_the_other(store: Store, two: tuple[Marked, Marked]) -> None:
    one, other = (Notes(store, generations=each) for each in two)
    before = other.version
    one.put("sim", "node", "1", {"a": 1})
    after = other.version
    assert after != before
    one.put("sim", "node", "1", {"a": 2})
    assert other.version not in (before, after)


def test_a_note_whose_writer_died_before_its_mark_is_seen_a_little_later(
    store: Store, two: tuple[Marked, Marked]
) -> None:
    other = Notes(store, generations=two[1])
    before = other.version
    with store.write() as connection:
        bump(connection, [(NOTES, "")])
    until = time.monotonic() + FRESH * 4
    while other.version == before:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_wrong_password_is_told_without_it(redis_server: RedisServer) -> None:
    marks = Marks(redis_server.url.replace(redis_server.password, "guessed-word"))
    with pytest.raises(Unavailable) as refused:
        marks.ping()
    assert "guessed-word" not in refused.value.message + repr(marks)
    marks.close()


def test_a_parameter_of_the_url_does_not_change_what_marks_are(redis_server: RedisServer) -> None:
    marks = Marks(f"{redis_server.url}&decode_responses=True&socket_timeout=2")
    assert isinstance(marks.read(["sim"])["sim"][EVERYTHING], bytes)
    marks.close()


@pytest.mark.parametrize("url", [
    "unix:///run/r?db=x", "redis://h?nothing=1", "redis://h?socket_timeout=soon", "http://h",
])
def test_a_url_that_the_package_does_not_take_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="Redis"):
        Marks(url)


@pytest.mark.parametrize(("url", "said"), [
    ("redis://user:pass-word@h:6380/2?password=other-word", "redis://h:6380/2"),
    ("rediss://:pass-word@[::1]/2", "rediss://[::1]/2"),
    ("unix://:pass-word@/run/redis.sock?db=1", "unix:///run/redis.sock"),
    ("redis://:pass/word@h", "its URL"),
])
def test_where_redis_is_can_be_told_without_secrets(url: str, said: str) -> None:
    assert shown(url) == said
