"""What outlives a request: directories and answers made of lists that are still the cached ones, and how clouds are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cachetools
import msgspec

from gcelib.drivers.base import Cloud
from gcelib.drivers.lists import remembers
from gcelib.server.gathering import Gathering

MOST_ROWS = 64_000
"""How many rendered rows are kept at most: a client's every spelling of our host has its own."""


MOST_NOTES = 256 * 1024
"""Bytes of one kind's notes in one place that are worth keeping."""


class Sources(dict[str, tuple[Any, ...]]):
    """What something was made of, by name: clouds' lists as "nodes.list", everything else as "notes."; never changed.

    They are the very objects, which are others when anything has changed.
    """

    def __init__(self, *parts: Mapping[str, tuple[Any, ...]]) -> None:
        super().__init__()
        for part in parts:
            self.update(part)
        self.lists = [name for name in self if not name.endswith(".")]
        self.others = [name for name in self if name.endswith(".")]
        self._wanted: list[list[tuple[tuple[str, str], Any]]] | None = None

    def remembered(self, clouds: Sequence[Cloud]) -> bool:
        """Whether all lists are still those that the clouds, which are always the same, remember."""
        if self._wanted is None:
            wanted: list[list[tuple[tuple[str, str], Any]]] = [[] for _ in clouds]
            for name in self.lists:
                facet, _, verb = name.partition(".")
                able = [at for at, cloud in enumerate(clouds) if getattr(cloud, facet) is not None]
                for at, rows in zip(able, self[name], strict=True):
                    wanted[at].append(((facet, verb), rows))
            self._wanted = wanted
        return all(remembers(cloud, some) for cloud, some in zip(clouds, self._wanted, strict=True))


class Shelf:
    """Naming ten thousand things is done once, and so is rendering them."""

    def __init__(self, size: int = 256) -> None:
        self._lock = threading.Lock()
        self._kept: cachetools.LRUCache[Any, tuple[Any, Any]] = cachetools.LRUCache(size)
        self._rows: cachetools.LRUCache[Any, tuple[Sources, Any]] = cachetools.LRUCache(
            MOST_ROWS, getsizeof=lambda kept: kept[1].weight
        )
        self._notes: cachetools.LRUCache[tuple[str, str], tuple[int, Any]] = cachetools.LRUCache(64)
        self.gathering = Gathering()

    def rows(self, key: Any) -> tuple[Sources, Any] | None:
        """What was rendered under this key: the sources it was made from, and itself."""
        with self._lock:
            return self._rows.get(key)

    def keep_rows(self, key: Any, sources: Sources, value: Any, before: Sources | None = None) -> None:
        """Keep what was rendered from these sources.

        `before`: the value was kept with these, and is kept with more only if it still is: another request may have
        found the rest to be otherwise, and what it added to the value is not to be shown as made of this.
        """
        if value.weight <= MOST_ROWS:
            with self._lock:
                if before is None or self._rows.get(key, (None, None))[0] is before:
                    self._rows[key] = (sources, value)

    def made(self, key: Any, sources: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """`make()`, or what it gave the last time if that was for exactly these source objects."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and same(kept[0], sources):
            return kept[1]
        value = make()
        self.keep(key, sources, value)
        return value

    def notes(self, key: tuple[str, str], version: int, read: Callable[[], Any]) -> Any:
        """What the store has in one place of one kind, read again when its version is another; never change it.

        Notes may hold whole scripts: those that take much room are read each time.
        """
        with self._lock:
            kept = self._notes.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        found = read()
        with self._lock:
            self._notes.pop(key, None)
            if len(msgspec.json.encode(found)) <= MOST_NOTES:
                self._notes[key] = (version, found)
        return found

    def keep(self, key: Any, sources: tuple[Any, ...], value: Any) -> None:
        """Have `made` give this for these sources."""
        with self._lock:
            self._kept[key] = (sources, value)

    def last(self, key: Any) -> Any:
        """What `made` gave for a key the last time, whatever it was made of; None where it gave nothing yet."""
        with self._lock:
            kept = self._kept.get(key)
        return None if kept is None else kept[1]


def same(now: tuple[Any, ...], then: tuple[Any, ...]) -> bool:
    """Whether these are the very same objects; versions are compared by value."""
    if len(now) != len(then):
        return False
    return all(a is b or (isinstance(a, int) and a == b) for a, b in zip(now, then, strict=True))
