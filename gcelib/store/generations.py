"""What has changed, as numbers: they tell the processes that share a database what is no longer so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, select

from gcelib.store.engine import Store
from gcelib.store.tables import generations as table

Changes = Collection[tuple[str, str]]
"""(place, kind) pairs: a cloud or a caller's account on it, and what of it has changed; "" for all that moves."""

NOTES = "notes:"
"""The place of the notes' own number; no cloud is called so."""

EVERYTHING = "*"
"""The kind whose number is another one when nothing can be said of what has changed."""

Numbers = Mapping[str, Mapping[str, int]]
"""By place and kind. Another number than before means a change; which is the greater says nothing."""


class Generations:
    """The numbers of a shared store. One that belongs to a single process has none, and nothing is asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def alone(self) -> bool:
        """True where nobody else serves from the same store, and nothing has to be asked."""
        return not self._store.shared

    def numbers(self, places: Iterable[str]) -> Numbers:
        """The numbers at these places as they are now, one query; places where nothing changed yet are left out.

        Raises Unavailable when the database is away.
        """
        found: dict[str, dict[str, int]] = {}
        if not self._store.shared:
            return found
        query = select(table.c.place, table.c.kind, table.c.number).where(table.c.place.in_(sorted(set(places))))
        with self._store.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.place, {})[row.kind] = row.number
        return found

    def tell(self, changes: Changes) -> None:
        """Have those know of changes who do not ask the database; here nobody. Raises Unavailable.

        Of changes on clouds before the database has them: whoever sees there that they are done must know of them.
        """

    def sign(self) -> str:
        """How what stands beside the database is, for people; "" where nothing does."""
        return ""

    def close(self) -> None:
        """Let go of what stands beside the database."""


def version(numbers: Numbers) -> int:
    """One number for those of the notes: equal while they are."""
    return hash(tuple(sorted(numbers.get(NOTES, {}).items())))


def bump(connection: Connection, changes: Changes) -> None:
    """Count changes, in the transaction that puts them on the books; of a store that nobody shares, nothing.

    Last thing in a transaction: everybody else who counts a change at the same place waits for its end.
    """
    if connection.dialect.name != "postgresql":
        return
    from sqlalchemy.dialects import postgresql  # Two megabytes that SQLite has no use for.

    # In one order, so that no two wait for each other.
    for place, kind in sorted(changes):
        first = postgresql.insert(table).values(place=place, kind=kind, number=1)
        again = first.on_conflict_do_update(index_elements=["place", "kind"], set_={"number": table.c.number + 1})
        connection.execute(again)
