"""How much room the disks have that gcelib writes to: full ones are told of before a change is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gcelib.server.findings import Finding, found
from gcelib.server.occupancy import SQLITE

MIB = 1 << 20
LITTLE = 256 * MIB
"""Less free than this, and less than a twentieth of the disk, is worth a word."""


@dataclass(frozen=True, slots=True)
class Room:
    """A directory and its file system: bytes free for this user, bytes in all; `files`: if one more can be."""

    place: str
    free: int
    size: int
    files: bool = True

    @property
    def full(self) -> bool:
        """Whether next to nothing fits."""
        return not self.files or self.free < min(MIB, self.size // 64)

    @property
    def low(self) -> bool:
        """Whether it will be full before long."""
        return self.free < min(LITTLE, self.size // 20)


def places(state_dir: Path, database_url: str) -> list[Path]:
    """The directories that gcelib writes to: its state's, and that of a SQLite file elsewhere."""
    found = [state_dir]
    if database_url.startswith(SQLITE):
        found.append(Path(database_url.removeprefix(SQLITE).partition("?")[0]).parent)
    return found


def room(directories: Iterable[Path]) -> list[Room]:
    """What there is of each file system once; directories that are not there are left out. May block on a network's."""
    seen: dict[int, Room] = {}
    for each in directories:
        try:
            told, device = os.statvfs(each), os.stat(each).st_dev
        except OSError:
            continue  # The store says what is wrong with a place that cannot be looked at.
        files = not told.f_files or told.f_favail > 0
        seen.setdefault(device, Room(str(each), told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize, files))
    return [*seen.values()]


def crowded(rooms: Iterable[Room]) -> list[Finding]:
    """A finding for each that is full, or will be."""
    tight = []
    for each in rooms:
        said = f"{each.free / MIB:,.0f} of {each.size / MIB:,.0f} MiB are free where {each.place} is."
        if each.full:
            tight.append(found("disk-full", "disk", said, each.place))
        elif each.low:
            tight.append(found("disk-low", "disk", said, each.place))
    return tight
