"""A request while it arrives: bytes go in as they come, whole requests come out, nothing waits."""

from __future__ import annotations

import re

from gcelib.server.listening.head import Head, Refusal, parse_fields, parse_head

_BARE_LF = re.compile(rb"(?<!\r)\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_EMPTY_LINES = 16
_CHUNK_LINE_LIMIT = 1024
_CHUNKS_LIMIT = 100_000
_TRAILER_LIMIT = 16 * 1024


class Arrival:
    """What one connection has sent and nobody has taken yet.

    `head_limit` and `body_limit` are in bytes. Methods raise Refusal: 400, 413, 414 or 431;
    after that the stream has no meaning any more and the connection must end.
    """

    def __init__(self, head_limit: int, body_limit: int) -> None:
        self._head_limit = head_limit
        self._body_limit = body_limit
        self._buffer = bytearray()
        self._scanned = 0
        self._skipped = 0
        self._head: Head | None = None
        self._head_size = 0
        self._chunks: _Chunks | None = None

    def __len__(self) -> int:
        """Bytes held."""
        return self._head_size + len(self._buffer) + (len(self._chunks.body) if self._chunks else 0)

    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._head is not None or len(self._buffer) > 0

    def feed(self, data: bytes) -> None:
        """More bytes came."""
        self._buffer += data

    def complete(self) -> bool:
        """Whether a whole request is there to be taken."""
        if self._head is None and not self._find_head():
            return False
        assert self._head is not None
        if self._chunks:
            return self._chunks.complete(self._buffer)
        return len(self._buffer) >= self._head.length

    def awaits_continue(self) -> bool:
        """Whether the client holds its body back until it is told to go on."""
        return self._head is not None and self._head.expects_continue and not self._buffer

    @property
    def target(self) -> bytes:
        """The target of the request whose head is here."""
        return self._head.target if self._head is not None else b""

    def take(self) -> tuple[Head, bytes]:
        """The complete request: its head, and its body without chunking. What follows it stays here."""
        head, self._head = self._head, None
        assert head is not None
        if self._chunks:
            body = bytes(self._chunks.body)
            self._chunks = None
        else:
            body = bytes(self._buffer[: head.length])
            del self._buffer[: head.length]
        self._scanned = self._skipped = self._head_size = 0
        return head, body

    def _find_head(self) -> bool:
        while self._buffer.startswith(b"\r\n"):  # RFC 9112 2.2: empty lines before a request are skipped.
            del self._buffer[:2]
            self._scanned = 0
            self._skipped += 1
            if self._skipped > _EMPTY_LINES:
                raise Refusal(400, "Too many empty lines before a request.")
        if self._buffer and not 65 <= self._buffer[0] <= 90 and self._buffer != b"\r":
            tls = self._buffer[0] == 0x16
            raise Refusal(400, "TLS was sent to a port that speaks plain HTTP; use http://." if tls
                          else "This is not an HTTP request.")
        end = self._buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
        bare = _BARE_LF.search(self._buffer, self._scanned, end if end >= 0 else len(self._buffer))
        if bare:
            raise Refusal(400, "Header lines must end with CR LF.")
        if end > self._head_limit or (end < 0 and len(self._buffer) > self._head_limit):
            in_target = not 0 <= self._buffer.find(b"\r\n") <= self._head_limit
            raise Refusal(414 if in_target else 431,
                          f"The request's {'target' if in_target else 'headers'} may hold at most "
                          f"{self._head_limit} bytes.")
        self._scanned = len(self._buffer)
        if end < 0:
            return False
        self._head = parse_head(bytes(self._buffer[:end]))
        self._head_size = end
        del self._buffer[: end + 4]
        if self._head.length > self._body_limit:
            raise Refusal(413, f"The body may hold at most {self._body_limit} bytes.")
        if self._head.chunked:
            self._chunks = _Chunks(self._body_limit)
        return True


class _Chunks:
    """A chunked body being put together (RFC 9112 section 7.1); trailer fields are read, and dropped."""

    def __init__(self, limit: int) -> None:
        self.body = bytearray()
        self._limit = limit
        self._left = -1  # of the present chunk; -1: its size line is awaited, -2: the last chunk was seen
        self._count = 0

    def complete(self, buffer: bytearray) -> bool:
        """Move what is there from the buffer into the body; whether the end was among it."""
        while self._left != -2:
            if self._left == -1 and not self._size_line(buffer):
                return False
            if self._left >= 0 and not self._data(buffer):
                return False
        return self._trailer(buffer)

    def _size_line(self, buffer: bytearray) -> bool:
        end = buffer.find(b"\n", 0, _CHUNK_LINE_LIMIT)
        if end < 0:
            if len(buffer) >= _CHUNK_LINE_LIMIT:
                raise Refusal(400, "Malformed chunked body: a chunk's size line is too long.")
            return False
        match = _CHUNK.fullmatch(buffer, 0, end - 1) if buffer[end - 1 : end] == b"\r" else None
        if not match:
            raise Refusal(400, "Malformed chunked body: a chunk must begin with its size in hexadecimal.")
        self._left = int(match.group(1), 16) or -2
        del buffer[: end + 1]
        self._count += 1
        if self._left > self._limit - len(self.body) or self._count > _CHUNKS_LIMIT:
            raise Refusal(413, f"The body may hold at most {self._limit} bytes, in {_CHUNKS_LIMIT} chunks.")
        return True

    def _data(self, buffer: bytearray) -> bool:
        part = min(self._left, len(buffer))
        self.body += buffer[:part]
        del buffer[:part]
        self._left -= part
        if self._left or len(buffer) < 2:
            return False
        if buffer[:2] != b"\r\n":
            raise Refusal(400, "Malformed chunked body: a chunk is longer than its size says.")
        del buffer[:2]
        self._left = -1
        return True

    def _trailer(self, buffer: bytearray) -> bool:
        if buffer.startswith(b"\r\n"):
            del buffer[:2]
            return True
        end = buffer.find(b"\r\n\r\n", 0, _TRAILER_LIMIT)
        if _BARE_LF.search(buffer, 0, end if end >= 0 else len(buffer)):
            raise Refusal(400, "Malformed chunked body: its trailer's lines must end with CR LF.")
        if end < 0:
            if len(buffer) >= _TRAILER_LIMIT:
                raise Refusal(400, "Malformed chunked body: its trailer is too long.")
            return False
        parse_fields(bytes(buffer[:end]).split(b"\r\n"))
        del buffer[: end + 4]
        return True
