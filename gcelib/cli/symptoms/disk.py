"""The disks that gcelib writes to: whether there is room, and whether something can really be written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gcelib.config import Config
from gcelib.server.findings import Finding, found, well, wrong
from gcelib.server.room import MIB, crowded, places, room

ABOUT = "disk"
_PIECE = 64 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)


def disk(config: Config) -> Iterator[Finding]:
    """Room, and a file that is written, flushed to the disk and taken away again."""
    there = [place for place in places(config.server.state_dir, config.server.database_url()) if place.is_dir()]
    tight = crowded(room(there))
    yield from tight
    for place in dict.fromkeys(there):
        try:
            _write(place)
        except OSError as error:
            if error.errno in _FULL:
                if not any(each.subject == str(place) and each.cause == "disk-full" for each in tight):
                    yield found("disk-full", ABOUT, f"Nothing more fits into {place}: {error.strerror}.", str(place))
            else:
                yield wrong(ABOUT, f"Nothing can be written to {place}: {error.strerror}.",
                            "See that its file system is mounted for writing, and that the directory belongs to the "
                            "user that gcelib runs as.")
        else:
            free = ", ".join(f"{each.free / MIB:,.0f} MiB free" for each in room([place]))
            if not tight:
                yield well(ABOUT, f"{place} can be written to, {free}.")


def _write(place: Path) -> None:
    """Raises OSError as writing does."""
    with tempfile.TemporaryFile(dir=place) as file:
        file.write(b"\0" * _PIECE)
        file.flush()
        os.fsync(file.fileno())
