"""Brings a database to the newest schema, one process at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from gcelib.errors import Unavailable

if TYPE_CHECKING:
    from gcelib.store.engine import Store

_LOCK = threading.Lock()
"""Alembic keeps the migration it runs in module globals."""

_ADVISORY = 0x6763656C
"""The number PostgreSQL knows our migration lock by."""


def upgrade(store: Store) -> None:
    """Run the migrations this database has not seen, all or none of them.

    Two processes that start together take turns: on SQLite by the write lock, on PostgreSQL by an
    advisory one. Raises Unavailable when the database is newer than this gcelib.
    """
    with _LOCK, store.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY})
        config = Config()
        folder = str(Path(__file__).parent / "migrations")
        config.set_main_option("script_location", folder.replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Unavailable(f"The database {store.url} was written by a newer gcelib: {error}.") from error
