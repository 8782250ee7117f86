"""Compressed bodies: opened to the last byte, and bombs counted without being kept."""

from __future__ import annotations

import gzip
import random
import tracemalloc

import pytest

from gcelib.errors import Malformed, TooLarge
from gcelib.server.listening.coding import decoded


def zipped(plain: bytes) -> bytes:
    """Gzipped to the same bytes at any time: they are in names of tests."""
    return gzip.compress(plain, mtime=0)


NOISE = random.Random(0).randbytes(300_000)


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 131_072, 300_000])
@pytest.mark.parametrize("plain", [b"\0" * 300_000, NOISE], ids=["zeros", "noise"])
def test_a_body_of_any_size_comes_back(plain: bytes, size: int) -> None:
    plain = plain[:size]
    assert decoded(zipped(plain), "gzip", size) == plain
    with pytest.raises(TooLarge):
        decoded(zipped(plain), "GZIP ", size - 1)


@pytest.mark.parametrize("spoiled", [
    zipped(NOISE)[:-1], zipped(NOISE)[:100_000], zipped(NOISE) + b"x", zipped(b"a") * 2,
    zipped(NOISE)[10:], zipped(b"a" * 200_000)[:-8] + b"12345678", b"\x1f\x8b",
    zipped(b"a") + b"x" * 70_000, zipped(NOISE[:65_513]) + b"x",
])
def test_what_is_not_one_whole_gzip_is_refused(spoiled: bytes) -> None:
    with pytest.raises(Malformed):
        decoded(spoiled, "gzip", 1_000_000)


def test_a_bomb_is_counted_and_not_kept() -> None:
    bomb = zipped(b"\0" * 40_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decoded(bomb, "gzip", 16_000_000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
