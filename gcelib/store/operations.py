"""The operations on the books: stored before a cloud hears of them, leased to one holder at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, CursorResult, Double, Select, cast, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from gcelib.errors import NotFound, NotReady, Uncertain
from gcelib.store.admission import refuse_company, refuse_crowd, refuse_outdated, refuse_overtaken, refuse_rival
from gcelib.store.doubt import ended_by, on_the_books
from gcelib.store.engine import Store, one_at_a_time
from gcelib.store.generations import Changes, Generations, bump
from gcelib.store.records import Data, Record, chosen, listed, record_of, row_of
from gcelib.store.tables import OPEN, turns
from gcelib.store.tables import operations as table
from gcelib.store.turns import TurnRows

Records = list[Record]
Ids = list[str]

_NOW = cast(func.extract("epoch", func.clock_timestamp()), Double)
"""What PostgreSQL's clock says."""

_ATTEMPTS = 3
"""How often an insert of a name is tried that others insert and end meanwhile."""

_CHANGING = (
    "target_id", "request_key", "status", "progress", "start_time", "end_time", "error", "warnings",
    "http_status", "state", "due", "lease_until",
)


class Operations:
    """Keeps, finds and leases operations. Raises Unavailable when the database does."""

    def __init__(self, store: Store, generations: Generations | None = None) -> None:
        self._store = store
        self._generations = generations or Generations(store)
        self.turns = TurnRows(store)

    @property
    def alone(self) -> bool:
        """True when no other process can share these operations: a SQLite file belongs to one server."""
        return not self._store.shared

    def insert(
        self, record: Record, *, alone: bool = False, compared: bool = False, most: int = 0,
        planned: float | None = None, request: str = "",
    ) -> Record:
        """Put it on the books; the record of an earlier request with the same request key comes back instead.

        `request` is what its client sent, sealed: kept until it ends well, or is forgotten.

        Raises Exists while another operation is inserting the same target, with `alone` NotReady while one is changing
        it, with `compared` Stale while one changes the same of it, and TooMany while the project has `most` operations
        that are not done, if not 0. One that ended at the `moment` `planned` or later, when it was looked what the
        target is, counts as if still at work.
        Raises Uncertain when the database went away meanwhile; if it is on the books after all it is carried on.
        """
        tries = 0
        while True:
            try:
                with self._store.write() as connection:
                    self._admit(connection, record, alone, most)
                    if compared and planned is not None:
                        refuse_overtaken(connection, record, planned)
                    connection.execute(table.insert().values(self._leased({**row_of(record), "request": request})))
                    if planned is not None:
                        refuse_outdated(connection, record.target, record.verb, planned, alone=alone)
                return record
            except Uncertain:
                if not on_the_books(self._store, record.id):
                    raise
                return record
            except IntegrityError:
                tries += 1
                earlier = self.by_request(record.request_key)
                if earlier is not None:
                    return earlier
                with self._store.read() as connection:
                    refuse_rival(connection, record.target)
                # It has just ended.
                if tries == _ATTEMPTS:
                    raise

    def _admit(self, connection: Connection, record: Record, alone: bool, most: int) -> None:
        one_at_a_time(connection, f"target {record.target}")
        if most:
            refuse_crowd(connection, record.project, most)
        if alone:
            refuse_company(connection, record.target, record.verb, record.request_key)

    def moment(self) -> float:
        """What time it is for `planned`: by the database's clock where processes share it."""
        if self.alone:
            return time.time()
        with self._store.read() as connection:
            return float(connection.execute(select(_NOW)).scalar_one())

    def load(self, id: str) -> Record | None:
        """The operation with this id."""
        return self._one(chosen().where(table.c.id == id))

    def get(self, project: str, scope: str, name: str) -> Record:
        """The operation of this name, or number, in this scope. Raises NotFound."""
        called = table.c.number if name.isdecimal() else table.c.name
        here = (called == name, table.c.project == project, table.c.scope == scope)
        found = self._one(chosen().where(*here))
        if found is None:
            raise NotFound(f"The resource 'projects/{project}/{scope}/operations/{name}' was not found")
        return found

    def list(self, project: str, scope: str | None = None) -> Records:
        """A project's operations, the newest first; `scope` None means all of its scopes. Done ones are without their
        work and their state, but for those that are shown with their parts."""
        query = listed().where(table.c.project == project)
        if scope is not None:
            query = query.where(table.c.scope == scope)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(table.c.insert_time.desc(), table.c.name.desc()))
            return [record_of(row._mapping) for row in rows]

    def save(self, record: Record, changes: Changes = (), known: float | None = None) -> bool:
        """Write what changed; False when it is no longer this holder's, or when somebody wants it cancelled and the
        record does not say so. A done one keeps no lease and no turn.

        `changes` are what it changed on clouds, for other processes. `known` is the `due` that the holder wrote last,
        else the record's: one that lost its lease and got it back does not write over what was done meanwhile.
        """
        values = {name: getattr(record, name) for name in _CHANGING}
        if record.done:
            values |= {"work": record.work}
        return self._write(record, values, changes, known)

    def grow(self, record: Record, changes: Changes = (), known: float | None = None) -> bool:
        """As `save`, and write the work, which has more steps now."""
        values = {name: getattr(record, name) for name in (*_CHANGING, "work")}
        return self._write(record, values, changes, known)

    def _write(self, record: Record, values: Data, changes: Changes, known: float | None) -> bool:
        if record.done:
            values |= {"lease_until": 0.0, "due": record.due if self.alone else _NOW}
            values |= {} if record.error else {"request": ""}
        # Who has not heard yet that it is to be cancelled takes no further step.
        heard = table.c.canceller == record.canceller
        ours = (table.c.holder == record.holder, table.c.due == (record.due if known is None else known), heard)
        change = update(table).where(table.c.id == record.id, *ours, OPEN).values(self._leased(values))
        # Before it can be seen that they are done.
        self._generations.tell(changes)
        with self._store.write() as connection:
            if _count(connection.execute(change)) != 1:
                return record.done and ended_by(connection, record.id, record.holder)
            if record.done and self._store.shared:
                connection.execute(delete(turns).where(turns.c.operation == record.id))
            bump(connection, changes)
        return True

    def _leased(self, values: Data) -> Data:
        """The values with the end of the lease as it is to be written."""
        if not self._store.shared or not values.get("lease_until"):
            return values
        return values | {"lease_until": _NOW + (values["lease_until"] - (values["due"] or 0.0))}

    def claim(self, holder: str, now: float, lease_seconds: float, limit: int = 100) -> Records:
        """Take over open operations that are due and that nobody holds any more, the longest due first."""
        free = table.c.lease_until <= now if self.alone else table.c.lease_until <= _NOW
        query = (
            select(table.c.id)
            .where(OPEN, free, *([table.c.due <= now] if self.alone else []))
            .order_by(table.c.due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._store.write() as connection:
            ids = [row.id for row in connection.execute(query)]
            if not ids:
                return []
            taken = {"holder": holder, "due": now, "lease_until": now + lease_seconds}
            connection.execute(update(table).where(table.c.id.in_(ids)).values(self._leased(taken)))
            rows = connection.execute(chosen().where(table.c.id.in_(ids)).order_by(table.c.due))
            return [record_of(row._mapping) for row in rows]

    def held(self, holder: str) -> Ids:
        """The ids of the open operations of this holder."""
        query = select(table.c.id).where(OPEN, table.c.holder == holder)
        with self._store.read() as connection:
            return [row.id for row in connection.execute(query)]

    def renew(self, holder: str, now: float, lease_seconds: float) -> int:
        """Keep every open operation of this holder for so long from now, where nobody else could take them for half of
        it at least; says how many that took."""
        late = [table.c.lease_until < now + lease_seconds / 2] if self.alone else []
        mine = (OPEN, table.c.holder == holder, *late)
        until = self._leased({"due": now, "lease_until": now + lease_seconds})["lease_until"]
        with self._store.write() as connection:
            return _count(connection.execute(update(table).where(*mine).values(lease_until=until)))

    def release(self, holder: str | None = None) -> int:
        """Let others take over at once what this holder has (None: what anybody has); says how many."""
        free = {"holder": "", "lease_until": 0.0, "due": 0.0}
        change = update(table).where(OPEN).values(free)
        if holder is not None:
            change = change.where(table.c.holder == holder)
        with self._store.write() as connection:
            return _count(connection.execute(change))

    def delete(self, project: str, scope: str, name: str) -> None:
        """Forget a done operation. Raises NotFound, and NotReady while it is not done."""
        found = self.get(project, scope, name)
        if not found.done:
            raise NotReady(
                f"The operation '{name}' is {found.status}; it can be deleted when it is DONE."
            )
        with self._store.write() as connection:
            connection.execute(delete(table).where(table.c.id == found.id))

    def cancel(self, id: str, by: str, judge: Callable[[Record], str]) -> Record:
        """Put on the books that somebody wants it cancelled: from then on its holder begins no step that it has not.

        `judge` says why that cannot be, "" when it can; nothing is written to the operation between its look and this.
        Raises NotReady with its words, NotFound.
        """
        with self._store.write() as connection:
            row = connection.execute(chosen().where(table.c.id == id).with_for_update()).first()
            if row is None:
                raise NotFound("The operation is not there any more.")
            record = record_of(row._mapping)
            why = judge(record)
            if why:
                raise NotReady(why)
            connection.execute(update(table).where(table.c.id == id).values(canceller=by))
        return replace(record, canceller=by)

    def cancelled(self, holder: str) -> dict[str, str]:
        """The open operations of this holder that somebody wants cancelled: id to who."""
        query = select(table.c.id, table.c.canceller).where(OPEN, table.c.holder == holder, table.c.canceller != "")
        with self._store.read() as connection:
            return {row.id: row.canceller for row in connection.execute(query)}

    def request(self, id: str) -> str:
        """What its client sent, sealed; "" when that is not kept any more."""
        with self._store.read() as connection:
            return connection.execute(select(table.c.request).where(table.c.id == id)).scalar() or ""

    def forget_requests(self, before: float) -> int:
        """Forget what was sent for the operations that were done before then; says of how many."""
        old = (table.c.status == "DONE", table.c.end_time < before, table.c.request != "")
        with self._store.write() as connection:
            return _count(connection.execute(update(table).where(*old).values(request="")))

    def prune(self, before: float) -> int:
        """Forget the operations that were done before then; says how many."""
        old = delete(table).where(table.c.status == "DONE", table.c.end_time < before)
        with self._store.write() as connection:
            return _count(connection.execute(old))

    def is_open(self, id: str) -> bool:
        """Whether this operation is there and not done."""
        found = self.load(id)
        return found is not None and not found.done

    def standing(self) -> Mapping[str, tuple[int, float]]:
        """How many operations are PENDING, and RUNNING, in all projects, and the insert time of the oldest of each."""
        query = select(table.c.status, func.count(), func.min(table.c.insert_time)).where(OPEN).group_by(table.c.status)
        with self._store.read() as connection:
            return {status: (int(count), float(oldest)) for status, count, oldest in connection.execute(query)}

    def open(self) -> Records:
        """Every operation that is not done, of every project."""
        query = chosen().where(OPEN).order_by(table.c.insert_time)
        with self._store.read() as connection:
            return [record_of(row._mapping) for row in connection.execute(query)]

    def _one(self, query: Select[Any]) -> Record | None:
        with self._store.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else record_of(row._mapping)

    def by_request(self, key: str | None) -> Record | None:
        """The operation that a caller's request id began; None when there is none."""
        return None if key is None else self._one(chosen().where(table.c.request_key == key))


def _count(result: CursorResult[Any]) -> int:
    return result.rowcount
