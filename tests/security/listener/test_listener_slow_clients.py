"""Clients that say nothing, or too little too slowly, hold up nobody."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable

import pytest
from wires import Answer, Wire, eventually, get

from gcelib.server.listener import Listener

Serve = Callable[..., Listener]
Connect = Callable[..., Wire]
SILENT = 200
SOON = 2.0


def timed(wire: Wire, data: bytes) -> tuple[Answer, float]:
    began = time.monotonic()
    return wire.ask(data), time.monotonic() - began


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_silent_clients_do_not_delay_another(
    serve: Serve, connect: Connect, trust: ssl.SSLContext, secure: bool
) -> None:
    listener = serve(threads=2, secure=secure)
    for _ in range(SILENT):
        connect(listener)
    answer, took = timed(connect(listener, trust if secure else None), get("/"))
    assert answer.status == 200
    assert took < SOON


def test_handshakes_that_stop_half_way_do_not_delay_another(
    serve: Serve, connect: Connect, trust: ssl.SSLContext
) -> None:
    listener = serve(threads=2, secure=True)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trust.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    hello = outgoing.read()
    for number in range(20):
        connect(listener).send(hello[: 1 + number * 10])
    answer, took = timed(connect(listener, trust), get("/"))
    assert answer.status == 200
    assert took < SOON


@pytest.mark.parametrize("part", [
    b"G",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
], ids=["one byte", "half a head", "half a body", "half a chunk"])
def test_half_requests_do_not_delay_another_and_end_in_408(serve: Serve, connect: Connect, part: bytes) -> None:
    listener = serve(threads=2, read=1.0)
    slow = [connect(listener) for _ in range(30)]
    for wire in slow:
        wire.send(part)
    answer, took = timed(connect(listener), get("/"))
    assert answer.status == 200
    assert took < 0.9
    refused = slow[0].answer()
    assert refused.status == 408
    assert refused.error["errors"][0]["reason"] == "requestTimeout"
    assert slow[0].at_end()


def test_a_request_that_drips_is_answered_when_it_is_complete(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(read=10.0))
    for byte in get("/dripping"):
        wire.send(bytes([byte]))
    assert json.loads(wire.answer().body)["uri"] == "/dripping"


def test_a_drip_does_not_extend_the_time_for_a_head(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(read=0.5))
    began = time.monotonic()
    wire.send(b"GET / HTTP/1.1\r\n")
    while time.monotonic() - began < 0.4:
        wire.send(b"X-A: b\r\n")
        time.sleep(0.1)
    assert wire.answer().status == 408
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_client_may_pause_longer_than_the_read_timeout(
    serve: Serve, connect: Connect, trust: ssl.SSLContext, secure: bool
) -> None:
    wire = connect(serve(read=1.0, idle=60.0, secure=secure), trust if secure else None)
    assert wire.ask(get("/one")).status == 200
    assert wire.open_for(2.0)
    assert json.loads(wire.ask(get("/two")).body)["uri"] == "/two"


def test_idle_connections_end_at_the_idle_limit(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(idle=0.5))
    assert wire.ask(get("/")).status == 200
    assert wire.open_for(0.3)
    assert wire.at_end()


def test_the_shipped_limits_let_a_person_think_for_ten_minutes() -> None:
    from gcelib.server.listening.limits import Limits

    assert Limits().idle >= 600


def test_many_idle_connections_hold_no_thread(serve: Serve, connect: Connect) -> None:
    listener = serve(threads=1)
    wires = [connect(listener) for _ in range(50)]
    assert {wire.ask(get("/")).status for wire in wires} == {200}
    assert {wire.ask(get("/")).headers.get("connection", "") for wire in wires} == {""}


def test_a_client_that_never_speaks_is_let_go(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(first=0.4))
    assert wire.at_end()


LARGE = 12_000_000


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_clients_that_do_not_read_their_answers_hold_no_thread(
    serve: Serve, connect: Connect, trust: ssl.SSLContext, secure: bool
) -> None:
    listener, context = serve(threads=2, secure=secure), trust if secure else None
    greedy = [connect(listener, context) for _ in range(8)]
    for wire in greedy:
        wire.send(get(f"/large?{LARGE}"))
    began = time.monotonic()
    assert connect(listener, context).ask(get("/")).status == 200
    assert time.monotonic() - began < 4
    # Whoever reads at last gets all of it, and may go on.
    assert len(greedy[0].answer().body) == LARGE
    assert greedy[0].ask(get("/")).status == 200


def test_a_client_that_does_not_read_is_let_go(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(write=-LARGE / 32_768, held=LARGE * 2))
    wire.send(get(f"/large?{LARGE}"))
    time.sleep(1.5)
    with pytest.raises((EOFError, ConnectionResetError)):
        wire.answer()


def test_answers_that_nobody_takes_share_a_limit(serve: Serve, connect: Connect) -> None:
    listener = serve(held=1_000_000)
    wire = connect(listener)
    wire.send(get(f"/large?{LARGE}"))
    time.sleep(0.5)
    with pytest.raises((EOFError, ConnectionResetError)):
        wire.answer()
    assert connect(listener).ask(get("/")).status == 200


def test_stopping_sends_answers_to_their_end(serve: Serve, connect: Connect) -> None:
    listener = serve()
    wire = connect(listener)
    wire.send(get(f"/large?{LARGE}"))
    assert eventually(lambda: not wire.open_for(0.01))
    time.sleep(0.5)
    stopper = threading.Thread(target=listener.stop)
    stopper.start()
    assert len(wire.answer().body) == LARGE
    stopper.join(10)
    assert not stopper.is_alive()


def test_connections_beyond_the_limit_push_out_the_silent_ones(serve: Serve, connect: Connect) -> None:
    listener = serve(connections=10, read=0.4)
    working = connect(listener)
    assert working.ask(get("/")).status == 200
    silent = [connect(listener) for _ in range(30)]
    assert silent[0].at_end()
    assert working.ask(get("/")).status == 200
