"""Request bodies that were sent compressed (RFC 9110 section 8.4), opened without letting them explode."""

from __future__ import annotations

import zlib

from gcelib.errors import Malformed, TooLarge

_GZIP = 16 + zlib.MAX_WBITS


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """The body without its Content-Encoding. Raises Malformed, and TooLarge beyond `limit` bytes."""
    coding = coding.strip().lower()
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip"):
        raise Malformed(f"The body came with Content-Encoding {coding[:40]!r}; send it as gzip, or plain.")
    machine = zlib.decompressobj(_GZIP)
    try:
        # One byte more than allowed tells "exactly full" from "too much" without opening the rest.
        plain = machine.decompress(body, limit + 1)
    except zlib.error:
        raise Malformed("The body is not the gzip that its Content-Encoding promises.") from None
    if len(plain) > limit:
        raise TooLarge(f"The body may hold at most {limit} bytes once it is unpacked.")
    if not machine.eof or machine.unused_data:
        raise Malformed("The body's gzip is cut short, or something follows it.")
    return plain
