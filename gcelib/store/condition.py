"""Looks at a database without changing it: is it there, does it answer, which schema does it have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url, text

from gcelib.errors import Unavailable
from gcelib.store.engine import Store
from gcelib.store.schema import revision_of, revisions


@dataclass(frozen=True, slots=True)
class Condition:
    """`url` without a password; `current` is the schema it has, `newest` this version's, `known` whether this
    version can bring it there; `refuses` why it takes no changes, "" when it does."""

    url: str
    there: bool
    current: str
    newest: str
    known: bool
    refuses: str = ""


def condition(url: str) -> Condition:
    """How the database at this SQLAlchemy URL is. Raises Invalid for a bad URL, Unavailable when it does not answer."""
    known = revisions()
    newest = known[0]
    path = _sqlite_file(url)
    if path is not None and not path.exists():
        return Condition(str(path), False, "", newest, True)
    store = Store.unchanged(url)
    try:
        with store.read() as connection:
            current = revision_of(connection)
        refuses = _refuses(store) if current else _makes_none(store)
    finally:
        store.close()
    return Condition(str(path or store.url), True, current, newest, not current or current in known, refuses)


def _refuses(store: Store) -> str:
    """Why no change can be made; one is tried that changes nothing."""
    try:
        with store.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = version_num WHERE 1 = 0"))
    except Unavailable as fault:
        return fault.message
    return ""


def _makes_none(store: Store) -> str:
    """Why no tables can be made in a database that has none yet."""
    if not store.shared:
        return ""
    with store.read() as connection:
        may = connection.execute(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")).scalar()
    return "" if may else "gcelib's user may make no tables in that database."


def _sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for another database's, or a URL that is refused later."""
    if not url.startswith("sqlite"):
        return None
    name = make_url(url).database
    return Path(name) if name and name != ":memory:" else None
