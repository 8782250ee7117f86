"""Brings a database to the newest schema, one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from gcelib.errors import Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

    from gcelib.store.engine import Store

# Alembic is imported where it is used: a start finds the newest schema nearly always, and needs none of it.

NEWEST = "0006"
"""The schema that the newest migration makes."""
_VERSION = "alembic_version"

_LOCK = threading.Lock()
"""Alembic keeps the migration it runs in module globals."""

_ADVISORY = 0x6763656C
"""The number PostgreSQL knows our migration lock by."""


def upgrade(store: Store) -> None:
    """Run the migrations this database has not seen, all or none of them.

    Two processes that start together take turns: on SQLite by the write lock, on PostgreSQL by an
    advisory one. Raises Unavailable when the database is newer than this gcelib.
    """
    with store.read() as connection:
        if revision_of(connection) == NEWEST:
            return
    from alembic.util import CommandError

    with store.write() as connection, turn(connection):
        try:
            migrate(connection)
        except CommandError as error:
            raise Unavailable(f"The database {store.url} was written by a newer gcelib, schema "
                              f"{revision_of(connection)}: run that one, or put it aside and restore a backup of this "
                              "one's.") from error


@contextmanager
def turn(connection: Connection) -> Iterator[None]:
    """Let nobody else change the schema until the transaction of this connection ends."""
    with _LOCK:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY})
        yield


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to this revision, within `turn`. Raises Alembic's CommandError for an unknown one."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> list[str]:
    """The schemas this version knows, the newest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def revision_of(connection: Connection) -> str:
    """The schema that a database has, "" for none."""
    if not connection.dialect.has_table(connection, _VERSION):
        return ""
    return str(connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar() or "")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
