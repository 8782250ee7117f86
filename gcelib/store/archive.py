"""The file that a backup is: gzipped lines of JSON that say what they are, every table row by row, a checksum last.

    {"gcelib": "backup", "format": 1, "version": …, "schema": …, "made": …, "database": "sqlite"}
    {"table": "accounts", "columns": ["email", …]}
    ["ann@example.com", …]
    …
    {"rows": 7, "sha256": …}

The checksum is of all lines before the last one, line breaks with them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from gcelib.errors import Exists, Invalid

FORMAT = 1
_LONGEST = 64 * 1024 * 1024
"""Characters of the longest line that is read: no row of a store is nearly as long."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a backup says of itself: gcelib's `version`, the `schema`, when it was `made` (ISO 8601), of which kind of
    `database`."""

    version: str
    schema: str
    made: str
    database: str


class Writer:
    """An archive that is being written beside its place; `close` puts it there, leaving without it leaves nothing."""

    def __init__(self, path: Path, heading: Heading, *, replace: bool = False) -> None:
        """Raises Exists for a file that is there and not to be replaced, or for what is no file of its own, OSError for
        a place that takes none."""
        if path.is_symlink() or (path.exists() and not path.is_file()):
            # Whatever stands there would be gone: /dev/stdout for every program of the machine.
            raise Exists(f"{path} is there and is a link, a directory or a device; name a file.")
        if path.exists() and not replace:
            raise Exists(f"{path} is there already; name another file, or say --force.")
        self._path, self._replace = path, replace
        self._part = path.with_name(f"{path.name}.{os.getpid()}.part")
        # Whoever reads it could sign in as everybody: for its owner alone from the first byte.
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
        self._gzip = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=6, filename="", mtime=0)
        self._sum, self._rows, self._closed = hashlib.sha256(), 0, False
        self._line({
            "gcelib": "backup", "format": FORMAT, "version": heading.version, "schema": heading.schema,
            "made": heading.made, "database": heading.database,
        })

    def table(self, name: str, columns: Sequence[str]) -> None:
        """The rows that follow are this table's."""
        self._line({"table": name, "columns": list(columns)})

    def row(self, values: Sequence[Any]) -> None:
        """One row, of JSON values."""
        self._line(list(values))
        self._rows += 1

    def close(self) -> None:
        """The checksum, everything on the disk, and the file in its place."""
        self._gzip.write(json.dumps({"rows": self._rows, "sha256": self._sum.hexdigest()}).encode() + b"\n")
        self._gzip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._replace:
            self._part.replace(self._path)
        else:
            _link(self._part, self._path)
        self._closed = True

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self.close()
        except OSError as failed:
            error = failed
            raise
        finally:
            if not self._closed:
                self._leave_nothing(error)

    def _leave_nothing(self, error: BaseException | None) -> None:
        # What is still to be flushed may fail as what came before it did: the disk is full.
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(self._path)

    def _line(self, value: Any) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        self._sum.update(line)
        self._gzip.write(line)


def _link(part: Path, path: Path) -> None:
    """Put a file in its place where there is none. Raises Exists when one came between."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise Exists(f"{path} is there already; name another file, or say --force.") from None
    except OSError:
        # A file system without links.
        part.replace(path)
        return
    part.unlink()


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was read to its end and is whole. `counts` are the rows of each table."""

    path: Path
    heading: Heading
    counts: dict[str, int]

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Read a file once. Raises Invalid for one that is damaged, no backup, or of a newer format."""
        counts: dict[str, int] = {}
        with _lines(path) as lines:
            heading = _heading(path, next(lines, {}))
            for table, _ in _rows(path, lines):
                counts[table[0]] = counts.get(table[0], 0) + 1
        return cls(path, heading, counts)

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(table, values by column) of every row, in an order that breaks no reference."""
        with _lines(self.path) as lines:
            _heading(self.path, next(lines, {}))
            for (name, *columns), values in _rows(self.path, lines):
                yield name, dict(zip(columns, values, strict=True))


def _rows(path: Path, lines: Iterator[Any]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    table: tuple[str, ...] = ()
    for line in lines:
        if isinstance(line, dict):
            table = (str(line.get("table")), *map(str, line.get("columns") or ()))
        elif table and isinstance(line, list) and len(line) == len(table) - 1:
            yield table, line
        else:
            raise _damaged(path, "a row belongs to no table")


def _heading(path: Path, said: Any) -> Heading:
    if not isinstance(said, dict) or said.get("gcelib") != "backup":
        raise Invalid(f"{path} is no backup of gcelib's store.")
    if said.get("format") != FORMAT:
        raise Invalid(f"{path} has the format {said.get('format')}, which this version does not read: install the "
                      f"gcelib that wrote it, {said.get('version')}, or a newer one.")
    return Heading(*(str(said.get(name, "")) for name in ("version", "schema", "made", "database")))


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[Any]]:
    """The decoded lines but the last one, which is checked. Raises Invalid where they make no sense."""
    with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as file:
        try:
            yield _checked(path, file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(path, str(error) or "it ends early") from None


def _checked(path: Path, file: gzip.GzipFile) -> Iterator[Any]:
    total, rows, held = hashlib.sha256(), 0, b""
    while line := file.readline(_LONGEST):
        if held:
            total.update(held)
            value = _decoded(path, held)
            rows += isinstance(value, list)
            yield value
        held = line
    last = _decoded(path, held)
    if last != {"rows": rows, "sha256": total.hexdigest()}:
        raise _damaged(path, "its end does not fit what stands before it")


def _decoded(path: Path, line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise _damaged(path, "a line is not JSON") from None


def _damaged(path: Path, words: str) -> Invalid:
    return Invalid(f"{path} is damaged, or no backup of gcelib's: {words}. Nothing was taken from it.")
