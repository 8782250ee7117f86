"""Looks for what may have been stored although the answer to it was lost."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gcelib.errors import Unavailable
from gcelib.store.engine import Store
from gcelib.store.tables import OPEN, operations


def on_the_books(store: Store, id: str) -> bool:
    """Whether the operation is there. It may still come where it is not, and nobody knows while nobody can look."""
    try:
        with store.read() as connection:
            return connection.execute(select(operations.c.id).where(operations.c.id == id)).first() is not None
    except Unavailable:
        return False


def ended_by(connection: Connection, id: str, holder: str) -> bool:
    """Whether this holder has ended the operation already: nobody else does that in its name."""
    mine = (operations.c.id == id, operations.c.holder == holder, ~OPEN)
    return connection.execute(select(operations.c.id).where(*mine)).first() is not None
