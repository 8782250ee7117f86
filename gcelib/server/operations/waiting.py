"""Requests that wait for an operation to end: a bounded number, woken when it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Waiting:
    """At most `limit` at a time, so that waiting requests never hold every server thread."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._lock = threading.Lock()
        self._events: dict[str, list[threading.Event]] = {}
        self._closed = False

    @contextmanager
    def seat(self, id: str) -> Iterator[threading.Event | None]:
        """An event that is set when the operation ends, or None when too many wait already."""
        event = self._enter(id)
        try:
            yield event
        finally:
            if event is not None:
                self._leave(id, event)

    def ended(self, id: str) -> None:
        """Wake those who wait for this one."""
        with self._lock:
            for event in self._events.get(id, ()):
                event.set()

    def close(self) -> None:
        """Wake everybody, and let nobody wait any more."""
        with self._lock:
            self._closed = True
            for events in self._events.values():
                for event in events:
                    event.set()

    def _enter(self, id: str) -> threading.Event | None:
        with self._lock:
            if self._closed or self._free <= 0:
                return None
            self._free -= 1
            event = threading.Event()
            self._events.setdefault(id, []).append(event)
            return event

    def _leave(self, id: str, event: threading.Event) -> None:
        with self._lock:
            self._free += 1
            self._events[id].remove(event)
            if not self._events[id]:
                del self._events[id]
