"""Copies a store into an archive while it is used, and an archive into a store that nobody uses."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, Table, func, inspect, select, text

from gcelib.errors import Exists, Invalid, NotReady, Unavailable
from gcelib.store.archive import Archive, Heading, Writer
from gcelib.store.engine import Store
from gcelib.store.schema import migrate, revision_of, revisions, turn
from gcelib.store.tables import metadata

Tell = Callable[[str, int], None]
"""(table, rows of it so far), now and then."""

RESTORED = "restored"
"""In the state of an operation that was open in a backup: what was done since then is not on the books."""

_PASSING = {"generations"}
"""Tables that mean something to servers that run, and nothing to later ones."""
_BATCH = 500
_VERSIONS = "alembic_version"


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a restore did: the rows of each table, and where the copy of what was there is, None for nothing."""

    counts: Mapping[str, int]
    copy: Path | None


def save(store: Store, path: Path, version: str, *, replace: bool = False, tell: Tell = lambda name, rows: None) -> (
    dict[str, int]
):
    """Write what the store holds at this moment to a file; says the rows of each table.

    Others read and write meanwhile. `store` may have an older schema than this version. Raises Exists for a file that
    is there, Unavailable for a database that a newer gcelib wrote or that does not answer, OSError.
    """
    if store.engine.dialect.name == "postgresql":
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        store = Store(store.engine.execution_options(**snapshot))
    with store.read() as connection:
        return _save(connection, store.url, path, version, replace, tell)


def _save(connection: Connection, url: str, path: Path, version: str, replace: bool, tell: Tell) -> dict[str, int]:
    revision = revision_of(connection)
    if revision not in revisions():
        raise Unavailable(f"The database {url} was written by a newer gcelib, schema {revision}: back it up with that."
                          if revision else f"The database {url} holds no store of gcelib's.")
    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    heading = Heading(version, revision, made, connection.dialect.name)
    counts = {}
    with Writer(path, heading, replace=replace) as writer:
        for table in _tables(connection):
            if table.name in _PASSING:
                continue
            writer.table(table.name, [column.name for column in table.columns])
            rows = 0
            # Of the statement: a connection keeps such an option, and what follows would be read as a query, too.
            for row in connection.execute(select(table).execution_options(yield_per=_BATCH)):
                writer.row(list(row))
                rows += 1
                if not rows % _BATCH:
                    tell(table.name, rows)
            counts[table.name] = rows
            tell(table.name, rows)
    return counts


def restore(
    store: Store, archive: Archive, version: str, *, copy: Path | None = None, tell: Tell = lambda name, rows: None
) -> Replaced:
    """Put what an archive holds in place of what the store holds: all of it, or nothing.

    `copy` is where what is there is kept first; None: a store that holds anything is refused. Operations that were
    open are marked, so that whoever continues them looks first for what was done since.

    Raises Invalid for an archive of a newer schema or one that does not fit its own, Exists for a store that is not
    empty, NotReady where others are connected to the database, Unavailable when it does not answer.
    """
    if archive.heading.schema not in revisions():
        raise Invalid(
            f"{archive.path} has the schema {archive.heading.schema}, which this version ({version}) does not know: "
            f"install gcelib {archive.heading.version} or a newer one.")
    with store.write() as connection, turn(connection):
        _refuse_company(connection)
        there = _filled(connection)
        if there and copy is None:
            held = ", ".join(f"{rows} {name}" for name, rows in there.items())
            raise Exists(f"The database {store.url} is not empty ({held}): --force replaces what it holds, and keeps "
                         "a copy.")
        if there and copy is not None:
            _save(connection, store.url, copy, version, False, tell)
        _clear(connection)
        migrate(connection, archive.heading.schema)
        counts = _fill(connection, archive, tell)
        migrate(connection)
    return Replaced(counts, copy if there else None)


def _tables(connection: Connection) -> list[Table]:
    """The tables as they are in this database, whatever its schema; those that others need first."""
    ours = set(metadata.tables) & set(inspect(connection).get_table_names())
    found = MetaData()
    found.reflect(connection, only=sorted(ours))
    for table in found.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                # As in our own tables: nothing is NULL, not the word null.
                column.type.none_as_null = True
    return found.sorted_tables


def _filled(connection: Connection) -> dict[str, int]:
    """The tables that hold anything, and how many rows."""
    counts = {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
              for table in _tables(connection) if table.name not in _PASSING}
    return {name: rows for name, rows in counts.items() if rows}


def _clear(connection: Connection) -> None:
    for table in reversed(_tables(connection)):
        table.drop(connection)
    connection.execute(text(f"DROP TABLE IF EXISTS {_VERSIONS}"))


def _fill(connection: Connection, archive: Archive, tell: Tell) -> dict[str, int]:
    tables = {table.name: table for table in _tables(connection)}
    counts = dict.fromkeys(tables, 0)
    batch: list[dict[str, Any]] = []
    current = ""
    for name, values in archive.rows():
        table = tables.get(name)
        if table is None or values.keys() - table.columns.keys():
            raise Invalid(f"{archive.path} does not fit its own schema {archive.heading.schema}: table '{name}' is not "
                          "as that has it. Nothing was taken from it.")
        if name != current or len(batch) == _BATCH:
            _insert(connection, tables.get(current), batch)
            tell(name, counts[name])
            batch, current = [], name
        batch.append(_unheld(values) if name == "operations" else values)
        counts[name] += 1
    _insert(connection, tables.get(current), batch)
    return counts


def _insert(connection: Connection, table: Table | None, batch: list[dict[str, Any]]) -> None:
    if table is not None and batch:
        connection.execute(table.insert(), batch)


def _unheld(values: dict[str, Any]) -> dict[str, Any]:
    """An operation; an open one is nobody's, due at once, and marked."""
    if values.get("status") == "DONE":
        return values
    state = {**(values.get("state") or {}), RESTORED: True}
    return {**values, "state": state, "holder": "", "lease_until": 0.0, "due": 0.0}


def _refuse_company(connection: Connection) -> None:
    """Raise NotReady while another session is in this PostgreSQL database; SQLite's one server holds a lock."""
    if connection.dialect.name != "postgresql":
        return
    # Without this a server that starts now could hold us up for ever.
    connection.execute(text("SET LOCAL lock_timeout = '20s'"))
    others = connection.execute(text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename IS NOT NULL AND pid <> pg_backend_pid()"
    )).scalar_one()
    if others:
        raise NotReady(f"{others} other sessions are connected to this database: stop every gcelib that serves from "
                       "it, and whatever else is connected.")
