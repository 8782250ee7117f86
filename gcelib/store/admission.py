"""Whether a new operation may be put on the books: who else is or was at its target, and how many its project has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, or_, select

from gcelib.errors import Exists, NotReady, Stale, TooMany
from gcelib.store.records import Record
from gcelib.store.tables import OPEN, operations

_CLOCKS = 3600.0
"""How far, in seconds, the clocks of processes may be from the database's: for the index, the rest goes by its own."""

_WIDE = ("update", "patch")
"""Verbs that change what has several fingerprints, or none; the others have one each."""

RETRY_SECONDS = 10
"""When a project that has too many open operations is to try again."""


def refuse_crowd(connection: Connection, project: str, most: int) -> None:
    """Raise TooMany while a project has `most` operations that are not done.

    Processes that put some on the books in the same instant do not see each other's: a few more may come in then.
    """
    some = select(operations.c.id).where(operations.c.project == project, OPEN).limit(most)
    if connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() >= most:
        raise TooMany(
            f"Project '{project}' has {most} operations that are not done yet, as many as one project may have here"
            " (server.open_operations); nothing was done. Wait until some of them are DONE, then send this again.",
            retry_after=RETRY_SECONDS,
        )


def refuse_company(connection: Connection, target: str, verb: str, request_key: str | None) -> None:
    """Raise NotReady while another operation is at work on the same target. Two inserts are told apart elsewhere."""
    query = select(operations.c.name, operations.c.verb, operations.c.request_key)
    for row in connection.execute(query.where(operations.c.target == target, OPEN)):
        again = request_key is not None and row.request_key == request_key
        if not again and not (row.verb == verb == "insert"):
            raise NotReady(
                f"The resource 'projects/{target}' is not ready: operation '{row.name}' ({row.verb}) is changing"
                " it. Ask again when that is done."
            )


def refuse_overtaken(connection: Connection, record: Record, planned: float) -> None:
    """Raise Stale where another operation is changing, or has changed at `planned` or later, what the fingerprint is of
    that the record's client sent and that held then.
    """
    target = record.target
    others = select(
        operations.c.name, operations.c.verb, operations.c.status, operations.c.request_key, operations.c.state
    )
    lately = (operations.c.end_time >= planned - _CLOCKS, operations.c.due >= planned)
    since = or_(OPEN, (lately[0] & lately[1] & operations.c.http_status.is_(None)))
    for row in connection.execute(others.where(operations.c.target == target, since)):
        again = record.request_key is not None and row.request_key == record.request_key
        if not again and _meet((record.verb, record.state), (row.verb, row.state or {})):
            does = "has just changed" if row.status == "DONE" else "is changing"
            raise Stale(
                f"Supplied fingerprint does not match current fingerprint: operation '{row.name}' ({row.verb}) {does}"
                f" 'projects/{target}'. Look at that again{'' if row.status == 'DONE' else ' when it is done'}."
            )


def _meet(one: tuple[str, Mapping[str, Any]], other: tuple[str, Mapping[str, Any]]) -> bool:
    """Whether two changes, each a verb and a state with the fingerprints that it `touches`, are of the same."""
    if one[0] == other[0]:
        return True
    some, more = (set(str(state.get("touches", "")).split()) for _, state in (one, other))
    # The whole of a thing has everything else of it within.
    whole = any(verb in _WIDE and "fingerprint" in names for (verb, _), names in ((one, some), (other, more)))
    return whole or ((one[0] in _WIDE or other[0] in _WIDE) and not some.isdisjoint(more))


def refuse_rival(connection: Connection, target: str) -> None:
    """Raise Exists while another operation is inserting the target."""
    query = select(operations.c.name).where(operations.c.target == target, operations.c.verb == "insert", OPEN)
    name = connection.execute(query).scalar()
    if name is not None:
        raise Exists(f"The resource 'projects/{target}' already exists: operation '{name}' is making it.")


def refuse_outdated(connection: Connection, target: str, verb: str, planned: float, *, alone: bool) -> None:
    """Refuse what was planned from what the target was before another operation on it ended, at `planned` or later.

    Raises Exists for an insert of what was inserted meanwhile, and with `alone` NotReady for every other change. To be
    asked after the operation was put there: then nobody else is at its target any more who could still end.
    """
    query = select(operations.c.name, operations.c.verb, operations.c.http_status)
    lately = (operations.c.end_time >= planned - _CLOCKS, operations.c.due >= planned)
    ended = query.where(operations.c.target == target, operations.c.status == "DONE", *lately)
    for row in connection.execute(ended.order_by(operations.c.due.desc())):
        if verb != "insert" and alone:
            raise NotReady(
                f"The resource 'projects/{target}' is not ready: operation '{row.name}' ({row.verb}) has just changed"
                " it, and nothing was done here. Look at it, and send this again."
            )
        if row.http_status is None:
            if verb == row.verb == "insert":
                raise Exists(f"The resource 'projects/{target}' already exists: operation '{row.name}' just made it.")
            return
