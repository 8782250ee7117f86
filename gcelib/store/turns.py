"""Whose turn it is to change what a project's rules decide together, where several processes share the database."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert, select

from gcelib.store.engine import Store, one_at_a_time
from gcelib.store.tables import operations, turns


class TurnRows:
    """Turns in the store: one lasts until its operation is done, whoever carries that on.

    Raises Unavailable when the database is away.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, project: str, id: str, clouds: Collection[str]) -> str:
        """"" when it is the operation's turn from now on, else the name of one whose turn it is.

        `clouds` are those it plans for, none for all of them: operations for different clouds have turns side by side.
        """
        over = select(operations.c.id).where(operations.c.status == "DONE")
        held = (
            select(turns.c.operation, turns.c.clouds, operations.c.name)
            .join(operations, operations.c.id == turns.c.operation)
            .where(turns.c.project == project, operations.c.status != "DONE")
        )
        with self._store.write() as connection:
            one_at_a_time(connection, f"turn {project}")
            rows = connection.execute(held).all()
            if any(row.operation == id for row in rows):
                return ""
            for row in rows:
                theirs = set(row.clouds or ())
                if not clouds or not theirs or theirs & set(clouds):
                    return str(row.name)
            connection.execute(delete(turns).where(turns.c.project == project, turns.c.operation.in_(over)))
            connection.execute(insert(turns).values(operation=id, project=project, clouds=sorted(clouds)))
        return ""
