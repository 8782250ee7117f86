"""What only GCE knows of a thing (a description, a device name), kept where the cloud has no room for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, delete, select
from sqlalchemy.dialects import sqlite

from gcelib.store.engine import Store
from gcelib.store.generations import NOTES, Generations, bump, version
from gcelib.store.tables import notes as table

Data = dict[str, Any]
_VERSIONS: WeakKeyDictionary[Store, int] = WeakKeyDictionary()
"""How often the notes of a store were written by this process."""


class Notes:
    """JSON objects by place ("CLOUD", "CLOUD/TENANT" or "project:NAME"), kind ("node", "volume") and id.

    Raises Unavailable when the database does.
    """

    def __init__(
        self, store: Store, clock: Callable[[], float] = time.time, generations: Generations | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self.generations = generations or Generations(store)

    @property
    def version(self) -> int:
        """Equal while no note has changed: what is made of notes read after it may be kept as long."""
        if self._store.shared:
            return version(self.generations.numbers([NOTES]))
        return _VERSIONS.setdefault(self._store, 0)

    def get(self, place: str, kind: str, id: str) -> Data | None:
        """One note, or None."""
        with self._store.read() as connection:
            row = connection.execute(select(table.c.data).where(*_key(place, kind, id))).first()
        return None if row is None else dict(row.data or {})

    def all(self, place: str, kind: str) -> dict[str, Data]:
        """Every note of one kind in one place, by id."""
        query = select(table.c.id, table.c.data).where(table.c.place == place, table.c.kind == kind)
        with self._store.read() as connection:
            return {row.id: dict(row.data or {}) for row in connection.execute(query)}

    def put(self, place: str, kind: str, id: str, data: Mapping[str, Any]) -> None:
        """Write a note, in place of what was there."""
        with self._change() as connection:
            self._ensure(connection, place, kind, id)
            self._write(connection, place, kind, id, dict(data))

    def merge(self, place: str, kind: str, id: str, changes: Mapping[str, Any]) -> None:
        """Change some fields of a note and leave the others; a field set to None is removed."""
        with self._change() as connection:
            self._ensure(connection, place, kind, id)
            query = select(table.c.data).where(*_key(place, kind, id)).with_for_update()
            data = dict(connection.execute(query).scalar_one() or {}) | dict(changes)
            kept = {name: value for name, value in data.items() if value is not None}
            self._write(connection, place, kind, id, kept)

    def change(self, place: str, kind: str, id: str, make: Callable[[Data], Data]) -> Data:
        """Put what `make` makes of a note, {} where there is none, in its place, and give it; no other writer can."""
        with self._change() as connection:
            self._ensure(connection, place, kind, id)
            query = select(table.c.data).where(*_key(place, kind, id)).with_for_update()
            data = make(dict(connection.execute(query).scalar_one() or {}))
            self._write(connection, place, kind, id, data)
            return data

    def delete(self, place: str, kind: str, id: str) -> None:
        """Forget a note; one that is not there is no mistake."""
        self.drop(place, kind, [id])

    def drop(self, place: str, kind: str, ids: Collection[str]) -> None:
        """Forget several notes of one kind."""
        with self._change() as connection:
            for id in ids:
                connection.execute(delete(table).where(*_key(place, kind, id)))

    def kept(self) -> list[tuple[str, str]]:
        """The (place, kind) pairs that have notes."""
        query = select(table.c.place, table.c.kind).distinct().order_by(table.c.place, table.c.kind)
        with self._store.read() as connection:
            return [(row.place, row.kind) for row in connection.execute(query)]

    def untouched(self, place: str, kind: str, since: float) -> list[str]:
        """The ids of notes nobody has written since then (seconds since the epoch)."""
        query = select(table.c.id).where(
            table.c.place == place, table.c.kind == kind, table.c.updated < since
        )
        with self._store.read() as connection:
            return [row.id for row in connection.execute(query)]

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        try:
            with self._store.write() as connection:
                yield connection
                bump(connection, [(NOTES, "")])
            # Only now: whoever knows of the change must find it.
            self.generations.tell([(NOTES, "")])
        finally:
            _VERSIONS[self._store] = _VERSIONS.get(self._store, 0) + 1

    def _ensure(self, connection: Connection, place: str, kind: str, id: str) -> None:
        # An empty row first, so that two writers of a new note take turns instead of colliding.
        values = {"place": place, "kind": kind, "id": id, "data": {}, "updated": self._clock()}
        if connection.dialect.name == "postgresql":
            from sqlalchemy.dialects import postgresql

            connection.execute(postgresql.insert(table).values(values).on_conflict_do_nothing())
        else:
            connection.execute(sqlite.insert(table).values(values).on_conflict_do_nothing())

    def _write(self, connection: Connection, place: str, kind: str, id: str, data: Data) -> None:
        values = {"data": data, "updated": self._clock()}
        connection.execute(table.update().where(*_key(place, kind, id)).values(values))


def _key(place: str, kind: str, id: str) -> tuple[ColumnElement[bool], ...]:
    return (table.c.place == place, table.c.kind == kind, table.c.id == id)
