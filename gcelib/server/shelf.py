"""What outlives a request: directories and answers made of lists that are still the cached ones, and how clouds are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import cachetools

from gcelib.server.gathering import Gathering

MOST_ROWS = 32_000
"""How many rendered rows are kept at most, in at most 32 lists: a client's every spelling of our host has its own."""


class Shelf:
    """Naming ten thousand things is done once, and so is rendering them."""

    def __init__(self, size: int = 256) -> None:
        self._lock = threading.Lock()
        self._kept: cachetools.LRUCache[Any, tuple[Any, Any]] = cachetools.LRUCache(size)
        self._rows: cachetools.LRUCache[Any, tuple[Mapping[str, Any], Any]] = cachetools.LRUCache(
            MOST_ROWS, getsizeof=lambda kept: max(MOST_ROWS // 32, len(kept[1].rows))
        )
        self.gathering = Gathering()

    def rows(self, key: Any) -> tuple[Mapping[str, Any], Any] | None:
        """What was rendered under this key: the sources it was made from, and itself."""
        with self._lock:
            return self._rows.get(key)

    def keep_rows(self, key: Any, sources: Mapping[str, Any], value: Any) -> None:
        """Keep what was rendered from these sources."""
        if len(value.rows) <= MOST_ROWS:
            with self._lock:
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
