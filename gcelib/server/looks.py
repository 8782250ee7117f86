"""Asks what may hang, in a thread of its own: whoever wants to know waits for a moment, and is told what is known."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Known(Generic[Told]):
    """The newest answer, None when there was none yet; `silent`: for so many seconds a question has been under way."""

    told: Told | None
    silent: float


class Look(Generic[Told]):
    """One question, under way once at a time. Safe for threads. What `ask` raises is logged, and no answer."""

    def __init__(self, name: str, ask: Callable[[], Told], clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._ask, self._clock = name, ask, clock
        self._lock = threading.Lock()
        self._told: Told | None = None
        self._came = threading.Event()
        self._begun: float | None = None

    def take(self, patience: float) -> Known[Told]:
        """Ask, unless that is under way, wait for it for at most `patience` seconds, and tell."""
        with self._lock:
            if self._begun is None:
                self._begun, self._came = self._clock(), threading.Event()
                threading.Thread(target=self._go, args=(self._came,), name=self._name, daemon=True).start()
            came = self._came
        came.wait(patience)
        with self._lock:
            return Known(self._told, 0.0 if self._begun is None else self._clock() - self._begun)

    def _go(self, came: threading.Event) -> None:
        try:
            told = self._ask()
            with self._lock:
                self._told = told
        except Exception:
            log.exception("the %s failed", self._name)
        finally:
            with self._lock:
                self._begun = None
            came.set()
