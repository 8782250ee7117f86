"""The audit log as a file: lines are added, never changed, and only its owner reads it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

_MODE = 0o600


class AuditFile:
    """One file, `path`, opened when first written to.

    Whoever rotates it may move or remove it at any time: the next line goes to a new file of the name.
    Lines of several processes do not mix, for each is one write to the end. `refused` is why the last line could not
    be written, "" when it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._handle = -1
        self.refused = ""

    def add(self, line: bytes) -> None:
        """Write one line, which has no line break yet. Raises OSError."""
        try:
            self._add(line)
        except OSError as error:
            self.refused = f"{self.path} cannot be written: {error.strerror or error}."
            raise
        self.refused = ""

    def _add(self, line: bytes) -> None:
        with self._lock:
            whole = line + b"\n"
            try:
                if self._handle < 0 or self._moved():
                    self._open()
                while whole:
                    whole = whole[os.write(self._handle, whole):]
            except OSError:
                # A part of it may be there: whoever opens the file again sees to it.
                self._shut()
                raise

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        with self._lock:
            self._shut()

    def _moved(self) -> bool:
        try:
            there, held = os.stat(self.path), os.fstat(self._handle)
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino)

    def _open(self) -> None:
        self._shut()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._handle = os.open(self.path, flags, _MODE)
        held = os.fstat(self._handle)
        if held.st_mode & 0o077:
            os.fchmod(self._handle, _MODE)
        if held.st_size and os.pread(self._handle, 1, held.st_size - 1) != b"\n":
            # The last line was cut off, and the next must not become a part of it.
            os.write(self._handle, b"\n")
        owner = self.path.parent.stat()
        if os.geteuid() == 0 and (held.st_uid, held.st_gid) != (owner.st_uid, owner.st_gid):
            # Made by root on the command line, the file must still be the daemon's to write to.
            os.fchown(self._handle, owner.st_uid, owner.st_gid)

    def _shut(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
