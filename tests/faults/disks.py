"""File systems that are small, full or immutable, for real; only root may make them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Impossible(Exception):
    """This machine does not let us do that, and why."""


def run(*words: str) -> None:
    """A program of the system's, carried through. Raises Impossible where it is not there or fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Impossible(f"{words[0]} is not installed") from error
    if done.returncode:
        raise Impossible(f"{' '.join(words)}: {done.stderr.strip()}")


@contextmanager
def small(home: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system of this size, mounted in a new folder of `home`; None where that may not be done."""
    place = home / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "gcelib-test", str(place)],
        capture_output=True, text=True, check=False,
    )
    if made.returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave no room on a file system."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


@contextmanager
def immutable(files: Iterable[Path]) -> Iterator[bool]:
    """Nothing may write these files, through whatever was open before; False where that cannot be had."""
    names = [str(file) for file in files]
    before = os.open(names[0], os.O_RDWR)

    def ask(flag: str) -> bool:
        try:
            return not subprocess.run(["chattr", flag, *names], capture_output=True, check=False).returncode
        except FileNotFoundError:
            return False

    def held() -> bool:
        """Whether the file system keeps to it: one in memory lets those write on who had the file open."""
        try:
            os.pwrite(before, os.pread(before, 1, 0), 0)
        except PermissionError:
            return True
        return False

    try:
        yield ask("+i") and held()
    finally:
        ask("-i")
        os.close(before)


class Loop:
    """A file system of 24 megabytes in a file, which turns read-only when told of an error, as after a disk's."""

    def __init__(self, home: Path) -> None:
        """Raises Impossible where none can be made."""
        self.place = home / "loop"
        self.place.mkdir()
        self._image = home / "image"
        with self._image.open("wb") as file:
            file.truncate(24 * 1024 * 1024)
        run("mkfs.ext4", "-q", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mount it, for reading and writing."""
        run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.place))

    def repair(self) -> None:
        """What an operator does: nobody uses it any more, look it through, mount it again."""
        self.unmount()
        subprocess.run(["fsck.ext4", "-y", str(self._image)], capture_output=True, check=False)
        self.mount()

    def unmount(self) -> None:
        """Take it away."""
        run("umount", str(self.place))

    def spoil(self) -> None:
        """Have the system find an error. Raises Impossible where it cannot be told to."""
        number = self.place.stat().st_dev
        device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
        try:
            trigger = Path("/sys/fs/ext4") / device / "trigger_fs_error"
            trigger.write_text("a test of gcelib\n")
        except OSError as error:
            raise Impossible(f"an error of a file system cannot be feigned: {error}") from error
