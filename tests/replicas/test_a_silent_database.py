"""A PostgreSQL that accepts connections and answers nothing: nobody waits without end, and what is unknown is said."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import insert, text

from gcelib.errors import Unavailable, Uncertain
from gcelib.store import Store
from gcelib.store.condition import condition
from gcelib.store.generations import Generations
from gcelib.store.tables import generations
from tests.postgres import Postgres, programs


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """A server of this file's own, for it is stopped."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: initdb was not found")
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture
def store(own: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Impatient: two seconds to connect, half a one for a sign of life, one and a half for a statement."""
    monkeypatch.setattr("gcelib.store.sessions.PING_SECONDS", 0.5)
    monkeypatch.setattr("gcelib.store.sessions.MARGIN", 0.5)
    url = own.database(f"silent-{secrets.token_hex(4)}")
    opened = Store.open(f"{url}&connect_timeout=2&options=-c%20statement_timeout%3D1s")
    yield opened
    opened.close()


def seconds(call: Callable[[], object], fault: type[Unavailable]) -> float:
    """How long it took to be refused so."""
    started = time.monotonic()
    with pytest.raises(fault, match="gcelib's own database"):
        call()
    return time.monotonic() - started


def test_nobody_waits_for_a_silent_database_and_all_go_on_when_it_answers(own: Postgres, store: Store) -> None:
    asked, frozen = threading.Event(), threading.Event()
    took: list[float] = []

    def write() -> None:
        with store.write() as connection:
            connection.execute(insert(generations).values(place="here", kind="", number=1))
            asked.set()
            assert frozen.wait(30)

    writer = threading.Thread(target=lambda: took.append(seconds(write, Uncertain)))
    writer.start()
    assert asked.wait(30)
    # One session at rest, and one in a transaction that is about to be kept.
    store.ping()
    own.freeze()
    frozen.set()
    assert seconds(store.ping, Unavailable) < 3.5
    # Nobody queues behind the one who tries to reach it.
    trying = threading.Thread(target=seconds, args=(store.ping, Unavailable))
    trying.start()
    time.sleep(0.5)
    assert seconds(store.ping, Unavailable) < 0.3
    trying.join()
    writer.join()
    assert took[0] < 2.5
    own.thaw()
    store.ping()
    assert store.writes() != "ok"
    assert not store.refuses(), "it was away, which is another thing"
    # What was asked for was done when the database went on: nobody could have known.
    deadline = time.monotonic() + 10
    while Generations(store).numbers(["here"]) != {"here": {"": 1}}:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_statement_that_takes_long_is_ended_by_the_server_and_the_session_is_kept(store: Store) -> None:
    with store.read() as connection:
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    assert 0.9 < seconds(lambda: _sleep(store), Unavailable) < 2.5
    with store.read() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() == mine


def test_what_is_refused_in_words_is_not_called_uncertain(store: Store) -> None:
    def cut_off() -> None:
        with store.write() as connection:
            connection.execute(insert(generations).values(place="nowhere", kind="", number=1))
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable) as refused:
        cut_off()
    assert not isinstance(refused.value, Uncertain)
    assert not Generations(store).numbers(["nowhere"])
    assert not store.refuses()


def test_what_takes_no_changes_refuses_until_it_has_taken_one_and_refused_none_for_a_while(store: Store) -> None:
    def change(*first: str) -> None:
        with store.write() as connection:
            for words in first:
                connection.execute(text(words))
            connection.execute(insert(generations).values(place="here", kind="", number=1))

    assert seconds(lambda: change("SET TRANSACTION READ ONLY"), Unavailable) < 5
    assert store.refuses()
    with store.write() as connection:
        connection.execute(text("SELECT 1"))
    assert store.refuses(), "nothing was changed: that shows nothing"
    change()
    assert store.refuses(), "a full disk has room for some"
    store.clock = lambda: time.monotonic() + 11
    assert (store.refuses(), store.writes()) == (False, "ok")


def test_a_user_without_rights_is_refused_in_words_and_doctor_says_so(own: Postgres) -> None:
    role = f"weak-{secrets.token_hex(4)}"
    own.execute(f'CREATE ROLE "{role}" LOGIN')
    empty, full = own.database(f"empty-{role}"), own.database(f"full-{role}")
    Store.open(full).close()
    own.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"', database=f"full-{role}")
    empty, full = (url.replace("gcelib@", f"{role}@") for url in (empty, full))
    with pytest.raises(Unavailable, match="permission denied"):
        Store.open(empty)
    there = Store.open(full)
    with pytest.raises(Unavailable, match="permission denied"), there.write() as connection:
        connection.execute(insert(generations).values(place="here", kind="", number=1))
    assert there.refuses()
    there.close()
    assert "permission denied" in condition(full).refuses
    assert "make no tables" in condition(empty).refuses


def test_the_urls_own_options_stand_beside_ours(store: Store) -> None:
    with store.read() as connection:
        kept = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in (
            "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")]
    assert kept == ["1s", "8s", "30s"]


def _sleep(store: Store) -> None:
    with store.read() as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
