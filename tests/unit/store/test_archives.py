"""Backups: all of one moment, whole or refused, from one kind of database to another."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gcelib.errors import Exists, Invalid, NotReady, Unavailable
from gcelib.store import Account, AccountRows, Store, Token, TokenRows
from gcelib.store.archive import Archive, Heading, Writer
from gcelib.store.backup import restore, save
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations
from gcelib.store.records import Record
from gcelib.store.schema import migrate, revisions, turn
from gcelib.store.tables import metadata
from tests.faults.disks import fill, small
from tests.postgres import Postgres, programs

ANN = Account("ann@example.com", "user", "demo", "1", False, 1.5, "hash", {"demo": "admin"})


def filled(store: Store) -> Store:
    """Something in most tables, with what is easily lost: NULL, JSON, letters of all kinds."""
    AccountRows(store).add(ANN)
    TokenRows(store).add(Token("digest", ANN.email, "refresh", "c", "s", "f", 1.0, 9e9, rotated=None))
    notes = Notes(store)
    with store.write() as connection:
        connection.execute(metadata.tables["turns"].insert(), {"operation": "2", "project": "demo", "clouds": ["sim"]})
    notes.put("sim", "node", "1", {"description": "größer \u2028 \"x\"\n", "list": [1, None, {"a": True}]})
    operations = Operations(store)
    operations.insert(Record("1", "done-one", "7", "demo", "zones/z", "insert", "demo/z/a", status="DONE",
                             end_time=2.0))
    operations.insert(Record("2", "open-one", "8", "demo", "zones/z", "insert", "demo/z/b", status="RUNNING",
                             state={"steps": {}}, holder="somebody", lease_until=9e9, due=3.0))
    return store


def content(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that a backup holds."""
    with store.read() as connection:
        return {table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=str)
                for table in metadata.sorted_tables if table.name != "generations"}


@pytest.fixture
def archive(store: Store, tmp_path: Path) -> Archive:
    save(filled(store), tmp_path / "backup", "1")
    return Archive.open(tmp_path / "backup")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'other.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL's programs are not installed")
    server = Postgres()
    try:
        yield server.start()
    finally:
        server.remove()


def test_what_is_saved_comes_back(store: Store, archive: Archive, other: Store) -> None:
    with other.write() as connection:
        # What a server that ran before has left behind, and needs no more.
        connection.execute(metadata.tables["generations"].insert(), {"place": "sim", "kind": "node", "number": 3})
    assert restore(other, archive, "1").counts == {name: len(rows) for name, rows in content(store).items()} | {
        "generations": 0}
    expected, found = content(store), content(other)
    assert {**found, "operations": []} == {**expected, "operations": []}
    assert AccountRows(other).get(ANN.email) == ANN


def test_an_open_operation_comes_back_nobodys_and_marked_a_done_one_as_it_was(archive: Archive, other: Store) -> None:
    restore(other, archive, "1")
    done = Operations(other).load("1")
    assert done
    assert (done.done, done.state) == (True, {})
    taken, = Operations(other).claim("me", 10.0, 30.0)
    assert taken.name == "open-one"
    assert taken.state == {"steps": {}, "restored": True}


def test_only_its_owner_reads_it_and_nothing_is_left_beside_it(archive: Archive) -> None:
    assert archive.path.stat().st_mode & 0o777 == 0o600
    assert not list(archive.path.parent.glob("*.part"))


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(store: Store, archive: Archive) -> None:
    before = archive.path.read_bytes()
    with pytest.raises(Exists):
        save(store, archive.path, "1")
    assert archive.path.read_bytes() == before
    save(store, archive.path, "2", replace=True)
    assert Archive.open(archive.path).heading.version == "2"


def test_a_full_disk_leaves_nothing_behind_and_is_said_with_the_place(store: Store, tmp_path: Path) -> None:
    filled(store)
    with small(tmp_path, 1) as place:
        if place is None:
            pytest.skip("no small file system can be mounted here")
        ballast = fill(place)
        with pytest.raises(OSError, match="No space left on device") as refused:
            save(store, place / "backup", "1")
        assert refused.value.filename == str(place / "backup")
        assert [*place.iterdir()] == [ballast]


def test_what_is_no_file_is_not_replaced(store: Store, archive: Archive, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(archive.path)
    before = archive.path.read_bytes()
    for path in (pipe, link, tmp_path):
        with pytest.raises(Exists, match="name a file"):
            save(store, path, "2", replace=True)
    assert pipe.is_fifo()
    assert (link.is_symlink(), archive.path.read_bytes()) == (True, before)
    assert not list(tmp_path.glob("*.part"))


def test_a_backup_is_of_one_moment_while_others_write(store: Store, tmp_path: Path) -> None:
    filled(store)
    notes, ended = Notes(store), threading.Event()

    def write() -> None:
        number = 100
        while not ended.is_set():
            number += 1
            with store.write() as connection:
                for kind in ("node", "volume"):
                    notes._ensure(connection, "sim", kind, str(number))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(20):
            save(store, tmp_path / str(number), "1")
            kinds = [values["kind"] for name, values in Archive.open(tmp_path / str(number)).rows()
                     if name == "notes" and values["data"] == {}]
            assert kinds.count("node") == kinds.count("volume")
    finally:
        ended.set()
        thread.join()


def test_no_byte_may_change_and_none_may_be_missing(archive: Archive, tmp_path: Path) -> None:
    whole, damaged = archive.path.read_bytes(), tmp_path / "damaged"
    cuts = [whole[:length] for length in range(0, len(whole), 7)]
    lines = gzip.decompress(whole).splitlines(keepends=True)
    bent = [gzip.compress(b"".join(lines[:at] + lines[at + 1:])) for at in range(len(lines))]
    for each in (*cuts, *bent, b"not gzip", gzip.compress(b"[]\n"), whole + b"x"):
        damaged.write_bytes(each)
        with pytest.raises(Invalid, match=r"damaged|no backup"):
            Archive.open(damaged)


def test_a_flipped_bit_is_found_or_changes_nothing(archive: Archive, tmp_path: Path) -> None:
    whole, damaged, rows, found = archive.path.read_bytes(), tmp_path / "damaged", list(archive.rows()), 0
    for at in range(len(whole)):
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
        try:
            assert list(Archive.open(damaged).rows()) == rows
        except Invalid:
            found += 1
    assert found > 0.9 * len(whole)


def test_a_store_that_holds_anything_is_left_alone(archive: Archive, other: Store) -> None:
    Notes(other).put("sim", "node", "9", {"a": 1})
    before = content(other)
    with pytest.raises(Exists, match=r"not empty \(1 notes\)"):
        restore(other, archive, "1")
    assert content(other) == before


def test_what_is_replaced_is_kept_in_a_copy(archive: Archive, other: Store, store: Store, tmp_path: Path) -> None:
    Notes(other).put("sim", "node", "9", {"a": 1})
    before = content(other)
    done = restore(other, archive, "1", copy=tmp_path / "copy")
    assert done.copy == tmp_path / "copy"
    assert content(other)["accounts"] == content(store)["accounts"]
    restore(other, Archive.open(tmp_path / "copy"), "1", copy=tmp_path / "second")
    assert content(other) == before


def test_an_archive_of_a_newer_schema_or_format_is_refused(other: Store, tmp_path: Path) -> None:
    with Writer(tmp_path / "newer", Heading("9.9", "9999", "", "sqlite")):
        pass
    with pytest.raises(Invalid, match=r"install gcelib 9\.9 or a newer one"):
        restore(other, Archive.open(tmp_path / "newer"), "1")
    line = json.dumps({"gcelib": "backup", "format": 2, "version": "9.9"}).encode()
    (tmp_path / "format").write_bytes(gzip.compress(line + b"\n{}\n"))
    with pytest.raises(Invalid, match=r"format 2.*9\.9"):
        Archive.open(tmp_path / "format")


def test_rows_that_do_not_fit_leave_everything_as_it_was(other: Store, tmp_path: Path) -> None:
    with Writer(tmp_path / "odd", Heading("1", revisions()[0], "", "sqlite")) as writer:
        writer.table("notes", ["place", "kind", "id", "colour"])
        writer.row(["sim", "node", "1", "red"])
    before = content(other)
    with pytest.raises(Invalid, match="does not fit its own schema"):
        restore(other, Archive.open(tmp_path / "odd"), "1")
    assert content(other) == before


def test_a_backup_of_every_earlier_schema_is_brought_to_the_newest(tmp_path: Path, other: Store) -> None:
    for revision in revisions():
        old = Store.unchanged(f"sqlite:///{tmp_path / revision}.db")
        with old.write() as connection, turn(connection):
            migrate(connection, revision)
        AccountRows(old).add(ANN)
        save(old, tmp_path / revision, "1")
        old.close()
        restore(other, Archive.open(tmp_path / revision), "1", copy=tmp_path / f"{revision}.before")
        assert AccountRows(other).every() == [ANN]
        assert content(other).keys() == metadata.tables.keys() - {"generations"}


def test_a_database_of_a_newer_gcelib_or_of_somebody_else_is_not_backed_up(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="newer gcelib, schema 9999"):
        save(store, tmp_path / "backup", "1")
    empty = Store.unchanged(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Unavailable, match="holds no store"):
        save(empty, tmp_path / "backup", "1")
    empty.close()
    assert not list(tmp_path.glob("backup*"))


def test_a_store_moves_to_postgresql_and_back(store: Store, archive: Archive, postgres: Postgres, tmp_path: Path,
                                              other: Store) -> None:
    there = Store.open(postgres.database("moved"))
    restore(there, archive, "1")
    assert {**content(there), "operations": []} == {**content(store), "operations": []}
    Notes(there).merge("sim", "node", "1", {"more": "words"})
    save(there, tmp_path / "second", "1")
    assert Archive.open(tmp_path / "second").heading.database == "postgresql"
    restore(other, Archive.open(tmp_path / "second"), "1")
    assert content(other) == content(there)
    before = content(there)
    restore(there, archive, "1", copy=tmp_path / "copy")
    assert content(there)["notes"] == content(store)["notes"] != before["notes"]
    restore(there, Archive.open(tmp_path / "copy"), "1", copy=tmp_path / "third")
    assert content(there)["notes"] == before["notes"]
    there.close()


def test_a_postgresql_that_others_are_connected_to_is_left_alone(archive: Archive, postgres: Postgres) -> None:
    url = postgres.database("shared")
    serving = Store.open(url)
    serving.ping()
    there = Store.open(url)
    with pytest.raises(NotReady, match="1 other sessions"):
        restore(there, archive, "1")
    assert not content(serving)["accounts"]
    serving.close()
    there.close()
