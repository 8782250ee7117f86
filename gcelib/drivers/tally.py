"""Counts for /metrics that cost next to nothing: kept here, read when somebody asks for figures."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from gcelib.within import Within

NO_FACET = "other"
"""For calls that are about no facet in particular."""

_FACET: ContextVar[str] = ContextVar("gcelib_facet", default=NO_FACET)


@dataclass(frozen=True, slots=True)
class Called:
    """One call to a cloud: its facet, the call as the cloud names it, "ok" or the kind of the fault, seconds."""

    cloud: str
    provider: str
    facet: str
    what: str
    outcome: str
    seconds: float


def about(facet: str) -> Within[str]:
    """Calls made in this context are about this facet."""
    return Within(_FACET, facet)


def facet() -> str:
    """What calls are about now."""
    return _FACET.get()


class Tally:
    """How often each of some pairs came. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, kind: str, outcome: str) -> None:
        """One more of this."""
        key = (kind, outcome)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1

    def counts(self) -> Mapping[tuple[str, str], int]:
        """All there were until now."""
        with self._lock:
            return dict(self._counts)


LISTS = Tally()
"""Looks at remembered lists, by facet: "hit", "miss" (the cloud was asked), "shared" (another's question was waited
for), "stale" (told as it was last, for the cloud is away). The facet "answers" is of whole answers that were kept.
"""
ANSWERS = "answers"
