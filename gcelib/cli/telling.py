"""What a terminal is shown beside the answer: how far a long command is, and colours. Elsewhere there is neither."""

from __future__ import annotations

import os
import shutil
import sys
import time
from enum import StrEnum
from types import TracebackType
from typing import TextIO

_EVERY = 0.1
"""Seconds between two looks at a line that people read."""


class Progress:
    """One line on the terminal of standard error that is written over: call it with what is being done, how many of it
    are, and of how many when that is known. As a context manager it leaves no trace behind."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and _can(sys.stderr)
        self._what, self._next = "", 0.0

    def __call__(self, what: str, count: int, of: int = 0) -> None:
        now = time.monotonic()
        if not self._shown or (what == self._what and now < self._next):
            return
        self._what, self._next = what, now + _EVERY
        line = f"{what}: {count} of {of}" if of else f"{what}: {count}"
        # A line that is wrapped could not be written over.
        sys.stderr.write(f"\r\x1b[K{line[:shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line free for something else."""
        if self._shown and self._what:
            self._what = ""
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()


class Colour(StrEnum):
    """What the colours of a terminal are for here, as it is told of them."""

    WELL = "\x1b[32m"
    NOTE = "\x1b[33m"
    WRONG = "\x1b[1;31m"


def painted(words: str, colour: Colour, on: TextIO) -> str:
    """The words in a colour where they are printed on a terminal and nobody has set NO_COLOR."""
    return f"{colour.value}{words}\x1b[0m" if _can(on) and not os.environ.get("NO_COLOR") else words


def _can(on: TextIO) -> bool:
    """Whether this is a terminal that can do more than print one line after the other."""
    return on.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def counted(counts: dict[str, int]) -> str:
    """Rows by table, in a sentence: "2 accounts, 7 operations"; tables without rows are left out."""
    return ", ".join(f"{rows} {name}" for name, rows in counts.items() if rows) or "nothing"
