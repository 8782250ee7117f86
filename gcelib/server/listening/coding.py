"""Request bodies that were sent compressed (RFC 9110 section 8.4), opened without letting them explode."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gcelib.errors import Malformed, TooLarge

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64 * 1024


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """The body without its Content-Encoding. Raises Malformed, and TooLarge beyond `limit` bytes."""
    coding = coding.strip().lower()
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip"):
        raise Malformed(f"The body came with Content-Encoding {coding[:40]!r}; send it as gzip, or plain.")
    # A bomb is counted before it is kept, so that it takes time but no memory.
    for _ in _opened(body, limit):
        continue
    return b"".join(_opened(body, limit))


def _opened(body: bytes, limit: int) -> Iterator[bytes]:
    """What is in a gzip, piece by piece. Raises Malformed and TooLarge."""
    machine, left = zlib.decompressobj(_GZIP), limit
    for at in range(0, len(body), _PIECE):
        piece, full = body[at : at + _PIECE], True
        if machine.eof:
            raise Malformed("Something follows the body's gzip.")
        while (piece or full) and not machine.eof:
            try:
                plain = machine.decompress(piece, _PIECE)
            except zlib.error:
                raise Malformed("The body is not the gzip that its Content-Encoding promises.") from None
            piece, full = machine.unconsumed_tail, len(plain) == _PIECE
            left -= len(plain)
            if left < 0:
                raise TooLarge(f"The body may hold at most {limit} bytes once it is unpacked.")
            yield plain
    if not machine.eof or machine.unused_data:
        raise Malformed("The body's gzip is cut short, or something follows it.")
