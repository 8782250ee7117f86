"""A list of CloudStack's as a whole: its pages side by side, each row once however rows come and go meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gcelib.drivers.beside import side_by_side

MOST_PAGES = 2000
PASSES = 3


Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Page(Generic[Kind]):
    """One page: its good rows, each behind what tells it from the others, how many there were with the bad ones, the
    count of all that the cloud told with them, and how many rows a full page had.
    """

    rows: Sequence[tuple[str, Kind]]
    size: int
    count: int | None
    full: int


@dataclass(frozen=True, slots=True)
class Come(Generic[Kind]):
    """A page that is not read yet, and what is known of it: `count` and `full` as a Page's. `read` raises Faults."""

    count: int | None
    full: int
    read: Callable[[], Page[Kind]]


Fetch = Callable[[int], Come[Kind]]
"""A page by its number, from 1 on. Raises Faults."""


def rows(fetch: Fetch[Kind], turns: threading.Semaphore, most: int) -> list[Kind]:
    """Every row of a list, in the cloud's order. Raises what `fetch` raises.

    The pages after the first are fetched by up to `most` threads, each page when there is a turn for it.
    """
    trusted = True
    for _ in range(PASSES):
        one, first = _Pass[Kind](), fetch(1)
        if trusted and first.count is not None and first.count > first.full:
            one.at_once(first, fetch, turns, most)
        else:
            one.take(1, first)
        one.onwards(fetch)
        if one.steady:
            break
        # A cloud whose count was wrong has its pages turned one after the other.
        trusted = trusted and not one.wrong
    return one.found()


@dataclass(slots=True)
class _Pass(Generic[Kind]):
    """All pages once. `wrong`: a page had nothing new although the count had promised it rows."""

    pages: dict[int, Page[Kind]] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    wrong: bool = False
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, number: int, come: Come[Kind]) -> None:
        """Read a page; one with nothing new is the last that is asked for."""
        page = come.read()
        with self.lock:
            before = len(self.marks)
            self.marks.update(mark for mark, _ in page.rows)
            self.pages[number] = page
            self.over = self.over or not page.size or bool(page.rows and len(self.marks) == before)

    def at_once(self, first: Come[Kind], fetch: Fetch[Kind], turns: threading.Semaphore, most: int) -> None:
        """The first page and those that its count promises, side by side; it is read while they are waited for."""
        last = min(MOST_PAGES, -(-(first.count or 0) // first.full))

        def work(number: int) -> None:
            with turns:
                if not self.over:
                    self.take(number, fetch(number))
                    self.wrong = self.wrong or self.over

        side_by_side(work, range(2, last + 1), most, "page", meanwhile=lambda: self.take(1, first))

    def onwards(self, fetch: Fetch[Kind]) -> None:
        """The pages after those, one after the other until one says that it is the last."""
        number = max(self.pages)
        while not self.over and not self._last(self.pages[number]) and number < MOST_PAGES:
            number += 1
            self.take(number, fetch(number))

    def _last(self, page: Page[Kind]) -> bool:
        """Whether a page is the last one: it is not full, or all that were told of are there, and no more."""
        fetched = sum(each.size for each in self.pages.values())
        if page.size < page.full:
            return self.count is None or fetched >= self.count
        return self.count is not None and page.full < self.count == fetched

    @property
    def count(self) -> int | None:
        """What the last page told that told anything."""
        told = [page.count for _, page in sorted(self.pages.items()) if page.count is not None]
        return told[-1] if told else None

    @property
    def steady(self) -> bool:
        """Whether no row is seen to have been missed: none vanished between two pages so that others moved up.

        One that vanished while another came cannot be told: the counts are as they were.
        """
        told = [page.count for page in self.pages.values() if page.count is not None]
        if len(self.pages) == 1 or not told:
            return True
        bad = sum(page.size - len(page.rows) for page in self.pages.values())
        first = self.pages[1].count or 0
        return len(self.marks) + bad >= max(told) and min(told) >= first

    def found(self) -> list[Kind]:
        """Each row once, in the pages' order."""
        seen: dict[str, Kind] = {}
        for _, page in sorted(self.pages.items()):
            for mark, row in page.rows:
                seen.setdefault(mark, row)
        return [*seen.values()]
