"""A connection's two ends as files: a body that is already here, a writer that does not wait for ever."""

from __future__ import annotations

import errno
import io
import socket
import ssl
import threading
import time

PIECE = 64 * 1024
SLOWEST = 32 * 1024  # bytes per second that a client must take at least


class Inbox(io.BytesIO):
    """The body of the present request. `pending`: bytes of a next request are here and not yet looked at."""

    pending = False
    bytes_read = 0

    def has_data(self) -> bool:
        """Whether there is something to do before new bytes come."""
        return self.pending


class Outbox:
    """Writes to a socket in pieces, within `patience` seconds and what the slowest client may need on top."""

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self.sock = sock
        self.bytes_written = 0
        self._patience = patience

    def write(self, data: bytes) -> int:
        """Send all of it. Raises ConnectionError when the client is gone or does not take it in time."""
        end = time.monotonic() + self._patience + len(data) / SLOWEST
        view = memoryview(data)
        try:
            for start in range(0, len(view), PIECE):
                self.sock.settimeout(max(end - time.monotonic(), 0.01))
                self.sock.sendall(view[start : start + PIECE])
        except (TimeoutError, ssl.SSLError) as error:
            raise ConnectionAbortedError(errno.ECONNABORTED, f"the answer was not taken: {error}") from error
        self.bytes_written += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


class Allowance:
    """Bytes that all connections together may hold of requests that have not arrived completely."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take `count` bytes; False, and nothing taken, when so many are not left."""
        with self._lock:
            if count > self._free:
                return False
            self._free -= count
            return True

    def give(self, count: int) -> None:
        """Bytes that are held no more."""
        with self._lock:
            self._free += count
