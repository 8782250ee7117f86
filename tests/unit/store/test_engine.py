"""The store opens safely, keeps what it was told, and says plainly when it cannot."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError

from gcelib.errors import Invalid, Unavailable
from gcelib.store import Store
from gcelib.store.tables import accounts, grants, metadata, operations
from tests.clock import Clock


def _operation(name: str, status: str = "RUNNING", verb: str = "insert") -> dict[str, object]:
    return {"id": name, "name": name, "verb": verb, "target": "p/zones/z/instances/n", "status": status}


def test_the_migrations_make_exactly_the_tables_we_use(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_only_this_user_reads_the_database(store: Store, tmp_path: Path) -> None:
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    files = sorted((tmp_path / "state").iterdir())
    assert "gcelib.db-wal" in [file.name for file in files]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_database_everybody_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "open.db"
    file.touch(0o644)
    file.chmod(0o644)
    Store.open(f"sqlite:///{file}").close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_every_connection_is_durable_and_checks_references(store: Store) -> None:
    with store.read() as connection:
        values = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 2, 1, 10_000]


def test_what_was_written_is_there_after_reopening(store: Store, database: str) -> None:
    with store.write() as connection:
        connection.execute(insert(operations).values(_operation("one")))
    store.close()
    again = Store.open(database)
    with again.read() as connection:
        assert connection.execute(select(operations.c.name)).scalars().all() == ["one"]
    again.close()


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            connection.execute(insert(operations).values(_operation("one")))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    with store.read() as connection:
        assert connection.execute(select(operations.c.name)).all() == []


def test_a_read_changes_nothing(store: Store) -> None:
    with store.read() as connection:
        connection.execute(insert(operations).values(_operation("one")))
    with store.read() as connection:
        assert connection.execute(select(operations.c.name)).all() == []


def test_two_open_inserts_of_one_target_collide_and_finished_ones_do_not(store: Store) -> None:
    with store.write() as connection:
        connection.execute(insert(operations).values(_operation("one", "DONE")))
        connection.execute(insert(operations).values(_operation("two", "DONE")))
        connection.execute(insert(operations).values(_operation("three")))
        connection.execute(insert(operations).values(_operation("four", verb="delete")))
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(operations).values(_operation("five", "PENDING")))


def test_a_grant_needs_its_account_and_goes_with_it(store: Store) -> None:
    grant = {"account": "a@example.com", "project": "p", "role": "viewer"}
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(grants).values(grant))
    with store.write() as connection:
        connection.execute(insert(accounts).values(email="a@example.com", disabled=False))
        connection.execute(insert(grants).values(grant))
        connection.execute(accounts.delete())
        assert connection.execute(select(grants)).all() == []


def test_writers_take_turns(store: Store) -> None:
    with store.write() as connection:
        connection.execute(insert(operations).values(_operation("count") | {"progress": 0}))

    def add() -> None:
        for _ in range(10):
            with store.write() as connection:
                seen = connection.execute(select(operations.c.progress)).scalar_one()
                connection.execute(operations.update().values(progress=seen + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert connection.execute(select(operations.c.progress)).scalar_one() == 40


def test_a_writer_who_comes_again_and_again_keeps_nobody_waiting(database: str) -> None:
    store = Store.open(f"{database}?timeout=2")
    turns, begun, done = [0], threading.Event(), threading.Event()

    def again() -> None:
        while not done.is_set():
            with store.write():
                turns[0] += 1
                begun.set()
                done.wait(0.01)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        assert begun.wait(10)
        before = turns[0]
        with store.write():
            waited = turns[0] - before
    finally:
        done.set()
        thread.join()
    store.close()
    assert waited <= 2


def test_writers_wait_for_each_other_and_for_others_no_longer_than_they_may(database: str, tmp_path: Path) -> None:
    store = Store.open(f"{database}?timeout=0.3")
    other = sqlite3.connect(tmp_path / "state" / "gcelib.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    took: list[float] = []

    def write() -> None:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"database is locked|too many wait"), store.write():
            pass
        took.append(time.monotonic() - began)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == 8
    assert max(took) < 4 * 0.3
    other.close()
    with store.write():
        pass
    store.close()


def test_processes_that_start_together_all_find_the_newest_schema(database: str) -> None:
    program = "import sys; from gcelib.store import Store; Store.open(sys.argv[1]).ping()"
    started = [subprocess.Popen([sys.executable, "-c", program, database]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]


def test_a_locked_database_is_unavailable_and_can_be_read(database: str, tmp_path: Path, clock: Clock) -> None:
    store = Store.open(f"{database}?timeout=0.2")
    store.clock = clock
    assert store.writes() == "ok"
    other = sqlite3.connect(tmp_path / "state" / "gcelib.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"), store.write():
        pass
    store.ping()
    assert re.fullmatch("refused 0 s ago: gcelib's own database .* locked.", store.writes())
    assert store.refuses()
    other.close()
    with store.write():
        pass
    clock.now += 11
    assert store.refuses(), "nothing was changed: that shows nothing"
    with store.write() as connection:
        connection.execute(insert(operations).values(**_operation("1")))
    assert (store.refuses(), store.writes()) == (False, "ok")
    store.close()


def test_a_change_that_is_taken_does_not_hide_others_that_are_not(database: str, tmp_path: Path, clock: Clock) -> None:
    store = Store.open(f"{database}?timeout=0.05")
    store.clock = clock
    other = sqlite3.connect(tmp_path / "state" / "gcelib.db", isolation_level=None)
    for turn in range(3):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"), store.write():
            pass
        other.execute("ROLLBACK")
        with store.write() as connection:
            connection.execute(insert(operations).values(**_operation(f"{turn}", status="DONE")))
        clock.now += 9
        assert store.refuses()
    clock.now += 2
    assert not store.refuses()
    said: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    with store.write():
        pass
    assert not [each for each in said if "total_changes" in each], "a refusal of long ago costs no change anything"
    other.close()
    store.close()


def test_a_time_to_wait_that_is_no_number_is_refused(database: str) -> None:
    with pytest.raises(Invalid, match="'timeout' must be a number of seconds"):
        Store.open(f"{database}?timeout=long")


def test_a_full_database_is_unavailable_and_keeps_what_it_had(store: Store) -> None:
    def fill() -> None:
        with store.write() as connection:
            connection.execute(text("PRAGMA max_page_count = 60"))
            for number in range(1000):
                connection.execute(insert(operations).values(_operation(f"n{number}", "x" * 3000, "reset")))

    with pytest.raises(Unavailable, match="full"):
        fill()
    with store.read() as connection:
        assert connection.execute(select(operations)).all() == []


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "letter.db"
    file.write_text("Dear Sir, " * 500)
    with pytest.raises(Unavailable, match="not a database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_text().startswith("Dear Sir")


def test_a_database_from_the_future_is_refused(store: Store, database: str) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="newer"):
        Store.open(database)


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "tulip://h/d"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Store.open(url)
    assert caught.value.field == "server.database"


@pytest.mark.parametrize("url", [
    "postgresql+psycopg://gcelib:hunter2@127.0.0.1:1/gcelib",
    "postgresql+psycopg://127.0.0.1:1/gcelib?user=gcelib&password=hunter2",
    "postgresql+psycopg://gcelib@127.0.0.1:1/gcelib?sslpassword=hunter2",
    "postgresql+nodriver://127.0.0.1:1/gcelib?user=gcelib&password=hunter2",
])
def test_a_password_in_the_url_is_never_shown(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises((Invalid, Unavailable)) as caught:
        Store.open(url)
    assert "hunter2" not in caught.value.message + caplog.text
    if "nodriver" not in url:
        store = Store.unchanged(url)
        assert "hunter2" not in f"{store.url} {store!r}"
        assert "127.0.0.1:1/gcelib" in store.url
        store.close()


def test_no_parameter_is_shown_in_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        connection.execute(insert(grants).values(account="hunter2", project="p", role="r"))
    assert "hunter2" not in str(caught.value)
