"""How far a long command is: one line on a terminal that is written over, nothing anywhere else."""

from __future__ import annotations

import sys
from types import TracebackType


class Progress:
    """Call it with what is being done and how many of it are; as a context manager it leaves no trace behind."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def __call__(self, what: str, count: int) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{what}: {count}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line free for something else."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()


def counted(counts: dict[str, int]) -> str:
    """Rows by table, in a sentence: "2 accounts, 7 operations"; tables without rows are left out."""
    return ", ".join(f"{rows} {name}" for name, rows in counts.items() if rows) or "nothing"
