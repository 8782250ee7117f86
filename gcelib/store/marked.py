"""The numbers with marks in Redis before them: who finds the marks as they were does not ask the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, cast, func, select

from gcelib.errors import Unavailable
from gcelib.store.engine import Store
from gcelib.store.generations import EVERYTHING, NOTES, Changes, Generations, Numbers
from gcelib.store.marks import Marks
from gcelib.store.tables import generations as table

FRESH = 0.5
"""Seconds for which a process goes by what the database said of the marks; then it looks again."""
VOID = 10.0
"""Seconds for which marks count for nothing when a process could not set one."""

_PLACE = "redis:"
"""Where the database says how often, and until when, the marks count for nothing; no cloud is called so."""
_UNTIL = "until"
_NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)


@dataclass(frozen=True, slots=True)
class _Word:
    """What the database said: `voids` and the notes' number have grown when marks were, or may have been, left out."""

    asked: float
    void: bool
    voids: int
    notes: int


class Marked(Generations):
    """A mark is set after the cloud has heard of a change and before the change is answered, and the database counts it
    as ever. Whoever cannot reach Redis asks the database. Whoever cannot set a mark says so in the database and waits
    until every other process has looked there; from then on all of them ask the database, for `VOID` seconds.
    """

    def __init__(
        self, store: Store, marks: Marks, clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(store)
        self._marks = marks
        self._clock, self._sleep = clock, sleep
        self._word: _Word | None = None
        self._lock = threading.Lock()
        self._void_until = 0.0

    def numbers(self, places: Iterable[str]) -> Numbers:
        """As of Generations; where nothing changed yet there are numbers, too."""
        wanted = sorted(set(places))
        # First the database's word, then the marks: it is at most as old as a process waits that could not set one.
        word = self._asked()
        if word.void:
            return super().numbers(wanted)
        try:
            marks = self._marks.read(wanted)
        except Unavailable:
            return super().numbers(wanted)
        # The connections after the marks: one made for them counts.
        base = (self._marks.connections, word.voids)
        found: dict[str, dict[str, int]] = {}
        for place, kinds in marks.items():
            found[place] = {kind: hash(mark) for kind, mark in kinds.items()}
            notes = word.notes if place == NOTES else 0
            found[place][EVERYTHING] = hash((*base, notes, kinds[EVERYTHING]))
        return found

    def tell(self, changes: Changes) -> None:
        """As of Generations; takes up to a second and a half when Redis has just gone away."""
        if not changes or self._clock() < self._void_until - VOID / 2:
            return
        try:
            self._marks.put(changes)
        except Unavailable:
            self._void()

    def sign(self) -> str:
        """"ok", or in words why Redis does not answer and the database is asked instead. Asks Redis alone."""
        try:
            self._marks.ping()
        except Unavailable as fault:
            return f"{fault.message.rstrip('.')}; the database is asked instead."
        return "ok"

    def void(self) -> bool:
        """Whether marks count for nothing now, for not every replica reached Redis. Asks the database."""
        return self._word is not None and self._asked().void

    def close(self) -> None:
        """Let go of Redis."""
        self._marks.close()

    def _asked(self) -> _Word:
        """What the database says of the marks, asked a moment ago at most."""
        now = self._clock()
        word = self._word
        if word is not None and now - word.asked < FRESH:
            return word
        query = select(table.c.place, table.c.kind, table.c.number, _NOW.label("now"))
        numbers: dict[tuple[str, str], int] = {}
        left = 0
        with self._store.read() as connection:
            for row in connection.execute(query.where(table.c.place.in_([_PLACE, NOTES]))):
                numbers[row.place, row.kind] = row.number
                if (row.place, row.kind) == (_PLACE, _UNTIL):
                    left = row.number - row.now
        word = self._word = _Word(now, left > 0, numbers.get((_PLACE, ""), 0), numbers.get((NOTES, ""), 0))
        return word

    def _void(self) -> None:
        """Have every process ask the database from now on; returns when each knows. Raises Unavailable."""
        from sqlalchemy.dialects import postgresql

        with self._lock:
            now = self._clock()
            if now < self._void_until - VOID / 2:
                return
            known = now + FRESH < self._void_until
            first = {"": 1, _UNTIL: _NOW + int(VOID * 1000)}
            until = func.greatest(table.c.number, _NOW + int(VOID * 1000))
            with self._store.write() as connection:
                for kind, again in (("", table.c.number + 1), (_UNTIL, until)):
                    row = postgresql.insert(table).values(place=_PLACE, kind=kind, number=first[kind])
                    connection.execute(row.on_conflict_do_update(
                        index_elements=["place", "kind"], set_={"number": again}))
            if not known:
                self._sleep(FRESH)
            self._void_until = now + VOID
