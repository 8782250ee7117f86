"""A connection's two ends as files: a body that is already here, an answer that is sent when it is complete."""

from __future__ import annotations

import io
import threading

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
    """Collects an answer, so that head and body leave together and no thread waits for the client."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.bytes_written = 0

    @property
    def failed(self) -> bool:
        """Whether it says that something behind us does not answer."""
        said = b"".join(self.parts) if self.parts and self.parts[0][9:12] == b"503" else b""
        return b"backendError" in said

    def write(self, data: bytes) -> int:
        """More of the answer."""
        self.parts.append(data)
        self.bytes_written += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do: the answer leaves when it is complete."""


class Allowance:
    """Bytes that all connections together may hold of what has not arrived or not left completely."""

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
