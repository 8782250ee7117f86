"""What is no proper request is refused, in Google's words, and never understood in two ways."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable

import pytest
from wires import Wire, eventually, get

from gcelib.server.listener import Listener

Serve = Callable[..., Listener]
Connect = Callable[..., Wire]

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = {
    "both lengths": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, other order": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "one length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": POST + b"Content-Length: -5\r\n\r\nhello",
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "a length of letters": POST + b"Content-Length: five\r\n\r\nhello",
    "an empty length": POST + b"Content-Length: \r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 5\r\n\r\nhello",
    "a folded header": POST + b"X-A: b\r\n Content-Length: 5\r\n\r\nhello",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "nearly chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked over 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n",
    "a carriage return in a value": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\rb\r\n\r\n",
    "a null byte in a value": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two tokens": get("/", "Authorization: Bearer a", "Authorization: Bearer b"),
    "no colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "a chunk size that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
    "a signed chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "a chunk size with 0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
    "a trailer's line without CR": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\n\r\n",
    "a trailer that is no header": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n\r\n",
    "a folded trailer": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "a chunk line without CR": POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_an_ambiguous_request_is_refused_and_the_connection_ends(serve: Serve, connect: Connect, sent: bytes) -> None:
    wire = connect(serve())
    answer = wire.ask(sent + get("/smuggled"))
    assert answer.status == 400
    assert answer.error["errors"][0]["reason"] == "badRequest"
    assert answer.headers["connection"] == "close"
    assert wire.at_end()


BROKEN = {
    "not HTTP": (b"hello there\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\n\r\n", 400),
    "a lower-case method": (b"get / HTTP/1.1\r\n\r\n", 400),
    "a path without slash": (b"GET x HTTP/1.1\r\n\r\n", 400),
    "a fragment": (b"GET /#x HTTP/1.1\r\n\r\n", 400),
    "another scheme": (b"GET ftp://x/ HTTP/1.1\r\n\r\n", 400),
    "CONNECT": (b"CONNECT localhost:80 HTTP/1.1\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/3.9": (b"GET / HTTP/3.9\r\n\r\n", 400),
    "TLS to the plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
    "gzip as transfer encoding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
    "a long path": (b"GET /" + b"a" * 70_000, 414),
    "a long header": (b"GET / HTTP/1.1\r\nX-A: " + b"a" * 70_000, 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 9_000 + b"\r\n", 431),
    "a large body": (POST + b"Content-Length: 16777217\r\n\r\n", 413),
    "an absurd body": (POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", 413),
    "a large chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n1000001\r\n", 413),
    "an absurd chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", 413),
    "an endless chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 5_000, 400),
    "empty lines without end": (b"\r\n" * 40_000, 400),
    "an endless trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-A: b\r\n" * 4_000, 400),
}


@pytest.mark.parametrize(("sent", "status"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_request_gets_googles_envelope(serve: Serve, connect: Connect, sent: bytes, status: int) -> None:
    wire = connect(serve())
    answer = wire.ask(sent)
    assert answer.status == status
    assert answer.error["message"]
    assert wire.at_end()


def test_the_refusal_arrives_although_the_client_still_sends(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(body=1000))
    wire.send(POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
    assert wire.answer().status == 413


def test_chunks_add_up_to_the_limit_of_the_body(serve: Serve, connect: Connect) -> None:
    wire = connect(serve(body=1000))
    chunk = b"64\r\n" + b"x" * 100 + b"\r\n"
    answer = wire.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 11 + b"0\r\n\r\n")
    assert answer.status == 413
    assert connect(serve(body=1000)).ask(
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 10 + b"0\r\n\r\n"
    ).status == 200


def test_all_requests_under_way_share_a_limit(serve: Serve, connect: Connect) -> None:
    listener = serve(held=300_000, read=30.0)
    half = POST + b"Content-Length: 200000\r\n\r\n" + b"x" * 150_000
    first, second, third = connect(listener), connect(listener), connect(listener)
    first.send(half)
    second.send(half)
    third.send(half)
    refused = next(wire for wire in (third, second, first) if not wire.open_for(0.5))
    assert refused.answer().status == 503
    for wire in (first, second, third):
        wire.close()
    # What they held is free again.
    whole = POST + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000
    assert eventually(lambda: connect(listener).ask(whole).status == 200)


def test_who_asks_for_little_is_answered_whatever_others_hold(serve: Serve, connect: Connect) -> None:
    listener = serve(held=100_000, read=30.0)
    large = POST + b"Content-Length: 200000\r\n\r\n" + b"x" * 115_000
    first, second = connect(listener), connect(listener)
    first.send(large)
    assert first.open_for(0.3)
    assert second.ask(get("/")).status == 200
    assert second.ask(POST + b"Content-Length: 16000\r\n\r\n" + b"x" * 16_000).status == 200
    assert connect(listener).ask(large).status == 503


def test_what_was_thrown_away_is_not_held(serve: Serve, connect: Connect) -> None:
    listener = serve(held=300_000, read=30.0)
    half = connect(listener)
    half.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"1;" + b"x" * 900 + b"\r\na\r\n") * 250)
    assert half.open_for(0.3)
    whole = POST + b"Content-Length: 290000\r\n\r\n" + b"x" * 290_000
    assert connect(listener).ask(whole).status == 200


def test_heads_are_held_until_their_bodies_are_here(serve: Serve, connect: Connect) -> None:
    listener = serve(held=70_000, read=30.0)
    first, second = connect(listener), connect(listener)
    for wire in (first, second):
        wire.send(POST + b"X-A: " + b"a" * 60_000 + b"\r\nContent-Length: 5\r\n\r\n")
    assert next(wire for wire in (second, first) if not wire.open_for(0.5)).answer().status == 503


def test_more_requests_than_may_wait_are_told_so_at_once(serve: Serve, connect: Connect) -> None:
    gate = threading.Event()

    def stuck(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        gate.wait(30)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    listener = serve(threads=1, waiting=1, app=stuck)
    wires = [connect(listener) for _ in range(6)]
    for wire in wires:
        wire.send(get("/"))
    refused = [wire for wire in wires if not wire.open_for(0.3)]
    gate.set()
    assert len(refused) >= 3
    assert {wire.answer().status for wire in wires if wire not in refused} == {200}


class OneAtATime:
    """Every request in one lane, which has one thread."""

    def of(self, _target: bytes) -> str:
        return "lane"

    def limit(self, _threads: int) -> int:
        return 1


def test_a_head_that_is_turned_away_has_no_body_for_the_next_answer_to_begin_with(
    serve: Serve, connect: Connect
) -> None:
    go_on, here = threading.Event(), threading.Semaphore(0)

    def slow(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        here.release()
        go_on.wait(20)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    listener = serve(app=slow, threads=4, waiting=1, lanes=OneAtATime())
    first, second, third = connect(listener), connect(listener), connect(listener)
    first.send(get("/"))
    assert here.acquire(timeout=10)
    second.send(get("/"))
    assert eventually(lambda: listener.load().queue == 1)
    third.send(get("/").replace(b"GET", b"HEAD"))
    head = third.socket.recv(65536)
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Connection: keep-alive" in head
    assert head.endswith(b"\r\n\r\n")
    go_on.set()
    assert eventually(lambda: listener.load().queue == 0)
    assert third.ask(get("/after")).status == 200


def test_the_busy_answer_is_a_503_with_retry_after(serve: Serve, connect: Connect) -> None:
    gate, entered = threading.Event(), threading.Event()

    def stuck(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        entered.set()
        gate.wait(30)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    listener = serve(threads=1, waiting=1, app=stuck)
    running, queued, refused = connect(listener), connect(listener), connect(listener)
    running.send(get("/"))
    assert entered.wait(10)
    queued.send(get("/"))
    assert queued.open_for(0.3)
    answer = refused.ask(get("/"))
    gate.set()
    assert answer.status == 503
    assert answer.headers["retry-after"].isdigit()
    assert answer.error["errors"][0]["reason"] == "backendError"
    assert running.answer().status == queued.answer().status == 200


def test_plain_http_on_the_tls_port_is_told_so(serve: Serve, connect: Connect, trust: ssl.SSLContext) -> None:
    listener = serve(secure=True)
    answer = connect(listener).ask(get("/"))
    assert answer.status == 400
    assert "https://" in answer.error["message"]
    assert connect(listener, trust).ask(get("/")).status == 200


def test_old_tls_is_refused(serve: Serve, connect: Connect, trust: ssl.SSLContext) -> None:
    listener = serve(secure=True)
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    assert connect(listener, trust).ask(get("/")).status == 200
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        trust.minimum_version = trust.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        connect(listener, trust)


def test_a_failing_application_is_an_envelope_without_details(serve: Serve, connect: Connect) -> None:
    answer = connect(serve()).ask(get("/fail"))
    assert answer.status == 500
    assert "as ordered" not in answer.body.decode()
    assert answer.error["errors"][0]["reason"] == "internalError"


def test_headers_with_underscores_cannot_pass_for_others(serve: Serve, connect: Connect) -> None:
    answer = connect(serve()).ask(get("/", "X_Forwarded_For: 1.2.3.4", "X-Forwarded-Proto: https"))
    assert json.loads(answer.body)["headers"] == {"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_PROTO": "https"}
