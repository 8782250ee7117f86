"""The audit log: who did what to which project, from where, and what came of it. No body, no query, no secret."""

from __future__ import annotations

import datetime
import json
import logging
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from http import HTTPStatus

from gcelib.within import Within

_LOG = logging.getLogger("gcelib.audit")

ALL, OFF = "all", "off"
"""Levels: reads are written, too; nothing is. At any other, changes and whatever was refused."""

_LONGEST = 500

_noted: ContextVar[dict[str, str] | None] = ContextVar("noted", default=None)


def noting() -> Within[dict[str, str]]:
    """What `note` is told inside, for the one who writes the line at the end."""
    return Within(_noted, {})


def note(**facts: str) -> None:
    """Tell a fact of what goes on to the line that will be written about it; nothing where none will be."""
    noted = _noted.get()
    if noted is not None:
        noted.update(facts)


class Audit:
    """Writes lines: JSON objects to `write`, and the same to the logger "gcelib.audit".

    `level` says how much, `clean` takes what looks like a secret out of a text. A line that cannot be
    written is an error in the log, and stops nothing.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        level: Callable[[], str] = lambda: "changes",
        clean: Callable[[str], str] = str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._write = write
        self._level = level
        self._clean = clean
        self._clock = clock

    def wants(self, *, change: bool, status: int = 200) -> bool:
        """Whether the level asks for a line about a change, or about what was answered with this status."""
        level = self._level()
        refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        return level == ALL or (level != OFF and (change or refused))

    def line(self, event: str, outcome: str, facts: Mapping[str, str | int]) -> None:
        """One line. `event` says what kind it is, `outcome` is "done", "refused" or "failed"; empty facts are left
        out."""
        when = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC).isoformat(timespec="milliseconds")
        said: dict[str, str | int] = {"event": event, "outcome": outcome}
        for name, value in facts.items():
            if value != "":
                said[name] = self._clean(value[:_LONGEST]) if isinstance(value, str) else value
        _LOG.info("%s", " ".join(f"{name}={_shown(value)}" for name, value in said.items()), extra={"facts": said})
        try:
            self._write(json.dumps({"time": when, **said}).encode())
        except OSError as error:
            _LOG.error("the audit log cannot be written: %s", error)


def outcome_of(status: int) -> str:
    """The word for an HTTP status."""
    if status < HTTPStatus.BAD_REQUEST:
        return "done"
    return "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"


def _shown(value: str | int) -> str:
    """A value that can neither end its line nor look like another fact."""
    text = str(value)
    return text if text.isprintable() and not set(text) & set(' "=') else json.dumps(text)
