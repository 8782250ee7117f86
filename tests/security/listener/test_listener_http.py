"""HTTP/1.1 as clients rely on it: keep-alive, pipelining, chunks, 100-continue, a clean end."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest
from wires import Wire, get

from gcelib.server.listener import Listener
from gcelib.server.listening.limits import Limits

Serve = Callable[..., Listener]
Connect = Callable[..., Wire]
POST = b"POST /p HTTP/1.1\r\nHost: localhost\r\n"


def test_pipelined_requests_are_answered_in_order(serve: Serve, connect: Connect) -> None:
    wire = connect(serve())
    wire.send(b"".join(get(f"/{number}") for number in range(20)))
    assert [json.loads(wire.answer().body)["uri"] for _ in range(20)] == [f"/{number}" for number in range(20)]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_chunked_body_reaches_the_application_whole(
    serve: Serve, connect: Connect, trust: ssl.SSLContext, secure: bool
) -> None:
    wire = connect(serve(secure=secure), trust if secure else None)
    chunks = b"5;x=y\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n"
    answer = wire.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert json.loads(answer.body)["body"] == "hello world"
    assert json.loads(wire.ask(get("/after")).body)["uri"] == "/after"


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_large_body_and_a_large_answer_go_through(
    serve: Serve, connect: Connect, trust: ssl.SSLContext, secure: bool
) -> None:
    wire = connect(serve(secure=secure), trust if secure else None)
    body = b"b" * 8_000_000
    wire.send(POST + b"Content-Length: 8000000\r\n\r\n" + body)
    assert len(json.loads(wire.answer().body)["body"]) == len(body)
    assert len(wire.ask(get("/large?8000000")).body) == 8_000_000


def test_a_client_is_told_to_go_on(serve: Serve, connect: Connect) -> None:
    wire = connect(serve())
    wire.send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert wire.answer().status == 100
    assert json.loads(wire.ask(b"hello").body)["body"] == "hello"


def test_a_client_is_not_told_to_go_on_with_a_body_too_large(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(body=10))
    assert wire.ask(POST + b"Content-Length: 11\r\nExpect: 100-continue\r\n\r\n").status == 413


def test_an_absolute_target_is_read_as_its_path_and_host(serve: Serve, connect: Connect) -> None:
    answer = connect(serve()).ask(b"GET http://example.test:80/x?y=1 HTTP/1.1\r\nHost: other\r\n\r\n")
    seen = json.loads(answer.body)
    assert (seen["uri"], seen["host"]) == ("/x?y=1", "example.test:80")


@pytest.mark.parametrize("path", ["//x", "/%00", "/a%0ab", "/%ff%fe", "/a//b/../c", "/x?a=%zz&b=1+2", "/*", "/a:b@c"])
def test_the_target_reaches_the_application_as_sent(serve: Serve, connect: Connect, path: str) -> None:
    assert json.loads(connect(serve()).ask(get(path)).body)["uri"] == path


def test_connection_close_is_honoured(serve: Serve, connect: Connect) -> None:
    wire = connect(serve())
    assert wire.ask(get("/", "Connection: close")).headers["connection"] == "close"
    assert wire.at_end()


def test_http_1_0_ends_unless_it_asks_to_stay(serve: Serve, connect: Connect) -> None:
    listener = serve()
    wire = connect(listener)
    assert wire.ask(b"GET / HTTP/1.0\r\n\r\n").status == 200
    assert wire.at_end()
    wire = connect(listener)
    assert wire.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").status == 200
    assert wire.ask(b"GET / HTTP/1.0\r\n\r\n").status == 200


def test_empty_lines_before_a_request_are_skipped(serve: Serve, connect: Connect) -> None:
    assert connect(serve()).ask(b"\r\n\r\n" + get("/")).status == 200


def test_a_client_that_half_closes_gets_its_answer(serve: Serve, connect: Connect) -> None:
    wire = connect(serve())
    wire.send(get("/"))
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.answer().status == 200


def test_stopping_lets_running_requests_end(serve: Serve, connect: Connect) -> None:
    entered, gate = threading.Event(), threading.Event()

    def slow(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        entered.set()
        gate.wait(20)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    listener = serve(app=slow)
    wire, idle = connect(listener), connect(listener)
    wire.send(get("/"))
    assert entered.wait(10)
    stopper = threading.Thread(target=listener.stop)
    stopper.start()
    assert idle.at_end()
    gate.set()
    answer = wire.answer()
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"done", "close")
    stopper.join(10)
    assert not stopper.is_alive()
    with pytest.raises(ConnectionRefusedError):
        connect(listener)


def test_stopping_tells_when_something_still_runs(serve: Serve, connect: Connect) -> None:
    entered, gate = threading.Event(), threading.Event()

    def stuck(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        entered.set()
        gate.wait(20)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    listener = serve(app=stuck)
    connect(listener).send(get("/"))
    assert entered.wait(10)
    assert not listener.stop(0.2)
    gate.set()


def test_a_port_in_use_is_named(serve: Serve) -> None:
    taken = serve()
    second = Listener(lambda environ, start: [], taken.address, threads=1)
    with pytest.raises(OSError, match=f"Cannot listen on {taken.address}.*in use"):
        second.prepare()


def test_ipv6_is_written_in_brackets() -> None:
    listener = Listener(lambda environ, start: [], "[::1]:0", threads=1, limits=Limits())
    try:
        listener.prepare()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    try:
        assert listener.address == f"[::1]:{listener.port}"
        assert listener.url == f"http://[::1]:{listener.port}"
    finally:
        listener.stop()


def test_a_client_that_closes_at_once_troubles_nobody(serve: Serve, connect: Connect) -> None:
    listener = serve(threads=1)
    for _ in range(50):
        wire = connect(listener)
        wire.send(get("/"))
        wire.close()
    began = time.monotonic()
    assert connect(listener).ask(get("/")).status == 200
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("secure", [False, True])
def test_a_client_that_asks_without_a_pause_leaves_others_their_turn(
    serve: Serve, connect: Connect, trust: ssl.SSLContext, secure: bool
) -> None:
    listener = serve(threads=1, secure=secure)
    busy, other = (connect(listener, trust if secure else None) for _ in range(2))
    done = threading.Event()
    count = 0

    def go_on() -> None:
        nonlocal count
        while not done.is_set():
            assert busy.ask(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
            count += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        for _ in range(20):
            assert other.ask(b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    finally:
        done.set()
        thread.join(30)
    assert count > 0
    assert not thread.is_alive()
