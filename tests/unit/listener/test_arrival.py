"""Requests put together from whatever pieces the network makes of them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcelib.server.listening.arrival import Arrival
from gcelib.server.listening.head import Refusal, parse_head

BODIES = st.binary(max_size=300)


def chunked(body: bytes, sizes: list[int]) -> bytes:
    out, rest = b"", body
    for size in sizes:
        part, rest = rest[:size], rest[size:]
        if part:
            out += b"%x\r\n%s\r\n" % (len(part), part)
    if rest:
        out += b"%X;name=value\r\n%s\r\n" % (len(rest), rest)
    return out + b"0\r\n\r\n"


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


@settings(max_examples=150, deadline=None)
@given(
    bodies=st.lists(st.tuples(BODIES, st.booleans(), st.lists(st.integers(1, 50), max_size=4)), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 5000), max_size=12),
)
def test_cuts_and_chunks_change_nothing(
    bodies: list[tuple[bytes, bool, list[int]]], cuts: list[int]
) -> None:
    stream = b""
    for body, in_chunks, sizes in bodies:
        stream += b"POST /x HTTP/1.1\r\nHost: h\r\n"
        if in_chunks:
            stream += b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes)
        else:
            stream += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    arrival, got = Arrival(1000, 1000), []
    for piece in pieces(stream, cuts):
        arrival.feed(piece)
        while arrival.complete():
            got.append(arrival.take()[1])
    assert got == [body for body, _, _ in bodies]
    assert len(arrival) == 0


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_garbage_is_refused_or_waited_for_and_never_breaks(data: bytes, cut: int) -> None:
    arrival = Arrival(100, 100)
    status = 0
    try:
        for piece in (data[:cut], data[cut:]):
            arrival.feed(piece)
            arrival.complete()
    except Refusal as refusal:
        status = refusal.status
    assert status in (0, 400, 413, 414, 431)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([
    b"Content-Length: 3", b"Content-Length: 03", b"Content-Length:3", b"Transfer-Encoding: chunked",
    b"transfer-encoding:Chunked", b"X: y", b"Content-Length: 3, 3", b"Transfer-Encoding: identity",
    b"Content_Length: 9",
]), max_size=4))
def test_a_head_never_has_two_lengths(lines: list[bytes]) -> None:
    try:
        head = parse_head(b"\r\n".join([b"POST / HTTP/1.1", *lines]))
    except Refusal:
        return
    framing = [line for line in lines if line.lower().startswith((b"content-length", b"transfer-encoding"))]
    assert len(framing) <= 1
    assert head.chunked == any(line.lower().startswith(b"transfer") for line in framing)
    assert head.length == (3 if framing and not head.chunked else 0)


def test_what_follows_a_request_stays() -> None:
    arrival = Arrival(1000, 1000)
    arrival.feed(b"GET /a HTTP/1.1\r\n\r\nGET /b HT")
    assert arrival.complete()
    assert arrival.take()[0].target == b"/a"
    assert not arrival.complete()
    arrival.feed(b"TP/1.1\r\n\r\n")
    assert arrival.complete()
    assert arrival.take()[0].target == b"/b"


@pytest.mark.parametrize(("lines", "stays"), [
    ([b"GET / HTTP/1.1"], True),
    ([b"GET / HTTP/1.1", b"Connection: Close"], False),
    ([b"GET / HTTP/1.1", b"Connection: upgrade, close"], False),
    ([b"GET / HTTP/1.0"], False),
    ([b"GET / HTTP/1.0", b"connection: Keep-Alive"], True),
])
def test_whether_the_connection_stays(lines: list[bytes], stays: bool) -> None:
    assert parse_head(b"\r\n".join(lines)).persistent is stays
