"""A look at many operations at once, for people: bounded, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, select

from gcelib.store.engine import Store
from gcelib.store.tables import OPEN
from gcelib.store.tables import operations as table

LOOKED_AT = 2000
"""Among so many that ended last it is looked for those that are wanted."""

Projects = Collection[str] | None
"""Names of projects; None for every one."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One operation without what it is made of. `state` is a JSON value; times are seconds since the epoch. `canceller`
    is who wants it cancelled."""

    id: str
    name: str
    project: str
    scope: str
    verb: str
    target: str
    caller: str
    status: str
    progress: int
    insert_time: float
    start_time: float | None
    end_time: float | None
    error: dict[str, Any] | None
    state: dict[str, Any] = field(default_factory=dict)
    canceller: str = ""

    @property
    def done(self) -> bool:
        """True when nothing about it will change any more."""
        return self.status == "DONE"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many operations of a project are open, and since when the oldest is; how many of those that ended lately
    failed."""

    open: int = 0
    oldest: float | None = None
    ended: int = 0
    failed: int = 0


_COLUMNS = tuple(table.c[name] for name in Glimpse.__dataclass_fields__)


class Glimpses:
    """Reads operations for people. Raises Unavailable when the database does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, projects: Projects, limit: int, skip: int = 0) -> list[Glimpse]:
        """Those that are not done, the oldest first."""
        query = select(*_COLUMNS).where(OPEN, *_of(projects)).order_by(table.c.insert_time, table.c.id)
        return self._rows(query.limit(limit).offset(skip))

    def ended(self, projects: Projects, limit: int, skip: int = 0, *, failed: bool = False) -> list[Glimpse]:
        """Of the LOOKED_AT that ended last those of these projects, the last one first; `failed`: with an error."""
        chosen = [table.c.id.in_(_lately()), *_of(projects), *([table.c.error.is_not(None)] if failed else [])]
        query = select(*_COLUMNS).where(*chosen).order_by(table.c.due.desc(), table.c.id)
        return self._rows(query.limit(limit).offset(skip))

    def place(self, name: str) -> tuple[str, str] | None:
        """Project and scope of the operation of this name, which are unique over all projects; None for no such."""
        with self._store.read() as connection:
            row = connection.execute(select(table.c.project, table.c.scope).where(table.c.name == name)).first()
        return None if row is None else (row.project, row.scope)

    def tallies(self, projects: Projects) -> Mapping[str, Tally]:
        """By project, for those that have any."""
        now = (
            select(table.c.project, func.count(), func.min(table.c.insert_time)).where(OPEN, *_of(projects))
            .group_by(table.c.project)
        )
        then = (
            select(table.c.project, func.count(), func.count(table.c.error))
            .where(table.c.id.in_(_lately()), *_of(projects)).group_by(table.c.project)
        )
        with self._store.read() as connection:
            open = {name: (int(count), oldest) for name, count, oldest in connection.execute(now)}
            ended = {name: (int(count), int(failed)) for name, count, failed in connection.execute(then)}
        return {name: Tally(*open.get(name, (0, None)), *ended.get(name, (0, 0))) for name in {*open, *ended}}

    def count(self) -> int:
        """How many are not done, of all projects."""
        with self._store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(OPEN)).scalar_one())

    def _rows(self, query: Any) -> list[Glimpse]:
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [Glimpse(**{**row, "state": row["state"] or {}}) for row in rows]


def _of(projects: Projects) -> list[ColumnElement[bool]]:
    return [] if projects is None else [table.c.project.in_(sorted(projects))]


def _lately() -> Any:
    """The ids of those that ended last, by the index of what is due."""
    last = select(table.c.id).where(table.c.status == "DONE").order_by(table.c.due.desc()).limit(LOOKED_AT)
    return select(last.subquery().c.id)
