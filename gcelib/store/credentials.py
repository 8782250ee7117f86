"""Callers' own keys to clouds, as they are kept: sealed, with whose they are beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gcelib.store.engine import Store
from gcelib.store.tables import accounts, tokens
from gcelib.store.tables import credentials as table

KEEP_SECONDS = 86_400.0
"""How long keys stay after the last token made for them: an operation may still be under way."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One pair of keys. `digest` finds the same pair again, `sealed` holds it; neither tells it.

    `holder` is the id of the cloud's account the keys belong to, `name` its name there, `projects` the cloud's
    own projects it is in, as (id, name). `used` is the last sign-in, `refused` when the cloud stopped taking them.
    """

    id: str
    account: str
    cloud: str
    holder: str
    name: str
    projects: Sequence[tuple[str, str]]
    digest: str = field(repr=False)
    sealed: str = field(repr=False)
    created: float
    used: float
    refused: float | None = None


class CredentialRows:
    """Callers' keys in the store. Raises Unavailable when the database does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, new: Credential) -> Credential:
        """Keep a pair of keys just proved good; one that is here already is brought up to date instead."""
        try:
            with self._store.write() as connection:
                return self._renew(connection, new) or self._add(connection, new)
        except IntegrityError:
            # Another replica kept the same pair between our two statements.
            with self._store.write() as connection:
                found = self._renew(connection, new)
            if found is None:
                raise
            return found

    def get(self, id: str) -> Credential | None:
        """The keys of this id; None also when their account is shut out or the cloud refused them."""
        with self._store.read() as connection:
            row = connection.execute(_living().where(table.c.id == id)).first()
        return _credential(row) if row else None

    def by_digest(self, digest: str) -> Credential | None:
        """The same pair of keys, whatever has become of it."""
        with self._store.read() as connection:
            row = connection.execute(select(table).where(table.c.digest == digest)).first()
        return _credential(row) if row else None

    def of(self, cloud: str, holder: str) -> list[Credential]:
        """The keys of one account of a cloud that were not refused, the last used first."""
        mine = _living().where(table.c.cloud == cloud, table.c.holder == holder).order_by(table.c.used.desc())
        with self._store.read() as connection:
            return [_credential(row) for row in connection.execute(mine)]

    def refuse(self, id: str, now: float) -> None:
        """Note that the cloud does not take these keys any more, and end every token made for them."""
        with self._store.write() as connection:
            fresh = (table.c.id == id) & table.c.refused.is_(None)
            connection.execute(update(table).where(fresh).values(refused=now))
            connection.execute(delete(tokens).where(tokens.c.credential == id))

    def reseal(self, change: Callable[[Credential], tuple[str, str] | None]) -> tuple[int, int]:
        """Give every pair the (digest, sealed) that `change` makes of it, all or none; (changed, dropped).

        Those it makes None of cannot be opened by anybody: they go, with their tokens.
        """
        changed = dropped = 0
        with self._store.write() as connection:
            for row in connection.execute(select(table)).all():
                made = change(_credential(row))
                mine = table.c.id == row.id
                if made is None:
                    connection.execute(delete(tokens).where(tokens.c.credential == row.id))
                    connection.execute(delete(table).where(mine))
                    dropped += 1
                elif made != (row.digest, row.sealed):
                    connection.execute(update(table).where(mine).values(digest=made[0], sealed=made[1]))
                    changed += 1
        return changed, dropped

    def purge(self, now: float) -> None:
        """Forget the keys that no token stands for any more, a day after their last use."""
        old = (table.c.used < now - KEEP_SECONDS) & table.c.id.not_in(
            select(tokens.c.credential).where(tokens.c.revoked.is_(None), tokens.c.expires > now)
        )
        with self._store.write() as connection:
            connection.execute(delete(table).where(old))

    def _renew(self, connection: Connection, new: Credential) -> Credential | None:
        fresh = {"name": new.name, "projects": [list(each) for each in new.projects], "used": new.used, "refused": None}
        same = (table.c.digest == new.digest) & (table.c.cloud == new.cloud) & (table.c.holder == new.holder)
        if not connection.execute(update(table).where(same).values(fresh)).rowcount:
            return None
        row = connection.execute(select(table).where(same)).one()
        return _credential(row)

    def _add(self, connection: Connection, new: Credential) -> Credential:
        # The same keys under another account: the cloud gave them to somebody else.
        connection.execute(delete(table).where(table.c.digest == new.digest))
        row = {name: getattr(new, name) for name in Credential.__dataclass_fields__}
        connection.execute(insert(table).values({**row, "projects": [list(each) for each in new.projects]}))
        return replace(new)


def _living() -> Any:
    return (
        select(table)
        .join(accounts, accounts.c.email == table.c.account)
        .where(accounts.c.disabled.is_(False), table.c.refused.is_(None))
    )


def _credential(row: Row[Any]) -> Credential:
    values = {name: getattr(row, name) for name in Credential.__dataclass_fields__}
    projects = tuple((str(id), str(name)) for id, name in values.pop("projects") or ())
    return Credential(**values, projects=projects)
