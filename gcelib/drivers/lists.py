"""Lists that are remembered for a while: one question at a time, and none kept that was begun before a change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from gcelib.drivers import deadline, tally
from gcelib.drivers.base import Cloud
from gcelib.drivers.faults import Rejected
from gcelib.errors import Fault, Forbidden, Unauthenticated
from gcelib.models import Node, NodeState
from gcelib.within import Within

PASSING_SECONDS = 1.0
"""How long a list of machines lives while one of them is on its way to another state."""

OFFERS = frozenset({"zones", "sizes", "images"})
"""Facets that hardly change: while a cloud is away they may be shown as they were last."""
LAST_SECONDS = 86400.0

MOST = 256
"""How many lists are kept; short ones give way, the oldest first: anybody may ask for any name."""

_FRESH: ContextVar[bool] = ContextVar("gcelib_fresh_lists", default=False)


def fresh() -> Within[bool]:
    """Within this context lists are asked anew, and remembered; for `Cache-Control: no-cache`."""
    return Within(_FRESH, True)


class _Flight:
    """One question under way; whoever asks the same meanwhile waits for its answer.

    `generation` is its facet's when it was begun, `number` counts questions: the later one has the newer answer.
    """

    def __init__(self, generation: int, number: int) -> None:
        self.generation, self.number = generation, number
        self.landed = threading.Event()
        self.value: Sequence[Any] = ()
        self.fault: BaseException | None = None

    def outcome(self) -> Sequence[Any]:
        if isinstance(self.fault, Fault):
            # A copy: one exception raised in several threads would mix their tracebacks.
            kind, wait = type(self.fault), self.fault.retry_after
            raise kind(self.fault.message, field=self.fault.field, retry_after=wait) from self.fault.__cause__
        if self.fault is not None:
            raise self.fault
        return self.value


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Sequence[Any]
    until: float
    number: int = 0


class Lists:
    """Remembered lists by (facet, verb). A list begun before a `drop` is given to its askers, never kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._cache: dict[tuple[str, str], _Kept] = {}
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._begun = 0
        self._under_way: set[int] = set()
        self._generation: dict[str, int] = {}
        self._last: dict[tuple[str, str], _Kept] = {}
        self._before: dict[tuple[str, str], Sequence[Any]] = {}

    def get(self, facet: str, verb: str, seconds: float, ask: Callable[[], Sequence[Any]]) -> Sequence[Any]:
        """The list, asked at most once at a time; failures go to everyone waiting and are not kept."""
        if seconds <= 0:
            with tally.about(facet):
                return tuple(ask())
        anew = _FRESH.get()
        with self._lock:
            kept = None if anew else self._cache.get((facet, verb))
            if kept is not None and self._clock() < kept.until:
                tally.LISTS.add(facet, "hit")
                return kept.value
            generation, mine = self._generation.get(facet, 0), False
            flight = self._flights.get((facet, verb))
            # With `anew`, answers to questions asked before now are not fresh enough.
            if flight is None or flight.generation != generation or anew:
                self._begun, mine = self._begun + 1, True
                self._under_way.add(self._begun)
                flight = self._flights[facet, verb] = _Flight(generation, self._begun)
        tally.LISTS.add(facet, "miss" if mine else "shared")
        if mine:
            self._fly(flight, facet, verb, seconds, ask)
        deadline.wait(flight.landed, f"{facet}.{verb}")
        return flight.outcome()

    def kept(self, facet: str, verb: str) -> Sequence[Any] | None:
        """The list if it is kept and fresh enough, without asking anybody."""
        kept = None if _FRESH.get() else self._cache.get((facet, verb))
        if kept is None or kept.until <= self._clock():
            return None
        tally.LISTS.add(facet, "hit")
        return kept.value

    def last(self, facet: str, verb: str) -> Sequence[Any] | None:
        """What a list of OFFERS was when it was asked for last, however long ago within LAST_SECONDS."""
        last = self._last.get((facet, verb))
        if last is None or last.until <= self._clock() or _FRESH.get():
            return None
        tally.LISTS.add(facet, "stale")
        return last.value

    def before(self, facet: str) -> Sequence[Any]:
        """What the facet's list was last; empty where it was never asked for."""
        return self._before.get((facet, "list"), ())

    def still(self, wanted: Iterable[tuple[tuple[str, str], Sequence[Any]]]) -> bool:
        """Whether all of these (facet, verb) are kept as these very lists, and fresh enough."""
        if _FRESH.get():
            return False
        now = self._clock()
        for key, value in wanted:
            kept = self._cache.get(key)
            if kept is None or kept.value is not value or kept.until <= now:
                tally.LISTS.add(tally.ANSWERS, "miss")
                return False
        tally.LISTS.add(tally.ANSWERS, "hit")
        return True

    def drop(self, facets: frozenset[str], about: str = "") -> None:
        """Forget these facets' lists, those being fetched now included; with `about`, what was found by another name
        stays.
        """
        same = f"find {about}".casefold()
        with self._lock:
            for facet in facets:
                self._generation[facet] = self._generation.get(facet, 0) + 1
            for key in [key for key in self._cache if key[0] in facets]:
                if not about or not key[1].startswith("find ") or key[1].casefold() == same:
                    self._cache.pop(key, None)
            for key in [key for key in self._last if key[0] in facets]:
                self._last.pop(key, None)

    def _fly(
        self,
        flight: _Flight,
        facet: str,
        verb: str,
        seconds: float,
        ask: Callable[[], Sequence[Any]],
    ) -> None:
        try:
            with tally.about(facet):
                flight.value = self._same(facet, verb, tuple(ask()))
        except BaseException as exc:
            flight.fault = exc
        try:
            with self._lock:
                self._land(flight, facet, verb, seconds)
        finally:
            flight.landed.set()

    def _land(self, flight: _Flight, facet: str, verb: str, seconds: float) -> None:
        """Keep what it brought, if nothing newer is known. Called with the lock."""
        if self._flights.get((facet, verb)) is flight:
            del self._flights[facet, verb]
        oldest = min(self._under_way)
        self._under_way.remove(flight.number)
        # Who may no longer ask may no longer see.
        if isinstance(flight.fault, Rejected | Unauthenticated):
            self._last.clear()
        elif isinstance(flight.fault, Forbidden):
            self._last.pop((facet, verb), None)
        if flight.fault is not None:
            return
        now = self._clock()
        # What is too old to be told still shows that answers to earlier questions are older.
        for key in [key for key, kept in self._cache.items() if kept.until <= now and kept.number < oldest]:
            del self._cache[key]
        newest, kept = self._newest(flight, facet, verb, now), self._cache.get((facet, verb))
        if self._generation.get(facet, 0) != flight.generation or (kept and kept.number > flight.number):
            return
        if len(self._cache) >= MOST:
            del self._cache[next((key for key in self._cache if " " in key[1]), next(iter(self._cache)))]
        until = now + (lifetime(flight.value, seconds) if newest else 0.0)
        self._cache[facet, verb] = _Kept(flight.value, until, flight.number)
        if facet in OFFERS:
            self._last[facet, verb] = _Kept(flight.value, now + LAST_SECONDS)

    def _newest(self, flight: _Flight, facet: str, verb: str, now: float) -> bool:
        """Whether no later answer says otherwise; earlier ones that do are not told any more."""
        newest = True
        for key in [(facet, verb), *self._at_odds(facet, verb, flight.value)]:
            kept = self._cache.get(key)
            if kept is not None and kept.number > flight.number:
                newest = False
            elif kept is not None:
                self._cache[key] = replace(kept, until=min(kept.until, now))
        return newest

    def _at_odds(self, facet: str, verb: str, rows: Sequence[Any]) -> list[tuple[str, str]]:
        """What is kept that contradicts this answer: the list, for what was found; for a list, what was found."""
        if " " in verb:
            whole = self._cache.get((facet, "list"))
            return [(facet, "list")] if whole and contradicts(verb, rows, whole.value) else []
        found = {key: kept.value for key, kept in self._cache.items() if key[0] == facet and " " in key[1]}
        if verb != "list" or not found:
            return []
        # Once through the list, which may have ten thousand rows, for all that was found.
        ids = {row.id for each in found.values() for row in each}
        about = {verb.partition(" ")[2] for _, verb in found}
        about |= {each.casefold() for each in about}
        near = [row for row in rows if row.id in ids or row.name.casefold() in about
                or getattr(row, "node_id", "") in about]
        return [key for key, each in found.items() if contradicts(key[1], each, near)]

    def _same(self, facet: str, verb: str, value: Sequence[Any]) -> Sequence[Any]:
        """The very list of the time before if this one says the same: what was made of that is still good."""
        if " " in verb:
            return value
        before = self._before.get((facet, verb))
        if before == value:
            return before
        self._before[facet, verb] = value
        return value


def contradicts(verb: str, found: Sequence[Any], rows: Sequence[Any]) -> bool:
    """Whether what was found ("find NAME", "of ID", ...) is not as a list has it."""
    asked, _, about = verb.partition(" ")
    about = about.casefold() if asked == "find" else about
    now = {row.id: row for row in found}
    return now != {row.id: row for row in rows if row.id in now or _meant(asked, about, row)}


def _meant(asked: str, about: str, row: Any) -> bool:
    """Whether a row is one of those that such a question finds."""
    if asked == "find":
        return bool(row.name.casefold() == about)
    return asked == "of" and bool(getattr(row, "node_id", "") == about)


def lifetime(rows: Sequence[Any], seconds: float) -> float:
    """How long a list may be kept: shorter while a machine in it is changing its state."""
    passing = (NodeState.PROVISIONING, NodeState.STAGING, NodeState.STOPPING)
    if any(isinstance(row, Node) and (row.busy or row.state in passing) for row in rows):
        return min(seconds, PASSING_SECONDS)
    return seconds


def remembered(cloud: Cloud, facet: str, verb: str) -> Sequence[Any] | None:
    """A cloud's list where it can be had without a call; None where it cannot."""
    lists = getattr(cloud, "lists", None)
    return lists.kept(facet, verb) if isinstance(lists, Lists) else None


def before(cloud: Cloud, facet: str) -> Sequence[Any]:
    """What a facet's list was when it was asked for last, however long ago; empty where it never was."""
    lists = getattr(cloud, "lists", None)
    return lists.before(facet) if isinstance(lists, Lists) else ()


def last(cloud: Cloud, facet: str, verb: str) -> Sequence[Any] | None:
    """What one of a cloud's OFFERS was last; None where that is not known, or an answer from before is not wanted."""
    lists = getattr(cloud, "lists", None)
    return lists.last(facet, verb) if isinstance(lists, Lists) else None


def remembers(cloud: Cloud, wanted: Iterable[tuple[tuple[str, str], Sequence[Any]]]) -> bool:
    """Whether a cloud would give these very lists for these (facet, verb) without a call."""
    lists = getattr(cloud, "lists", None)
    return isinstance(lists, Lists) and lists.still(wanted)
