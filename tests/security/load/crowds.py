"""Crowds of bad clients on bare sockets, and how long an honest client waits beside them."""

from __future__ import annotations

import http.client
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.live import Live

SIZE = 200
HALF = b"GET /compute/v1/projects/demo/zones HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (
    b"POST /compute/v1/projects/demo/global/firewalls HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
)
ZONES = "/compute/v1/projects/demo/zones"


@dataclass(frozen=True)
class Waits:
    """Seconds that honest requests took."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """Half were faster."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """One of a hundred was slower."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99) - 1]

    def __str__(self) -> str:
        return f"median {self.median * 1e3:.1f} ms, p99 {self.p99 * 1e3:.1f} ms, worst {max(self.seconds) * 1e3:.1f} ms"


def trust(live: Live) -> ssl.SSLContext | None:
    """What a client needs to speak TLS with this server."""
    return None if live.tls == "off" else ssl.create_default_context(cafile=str(live.ca))


def connect(live: Live, stack: ExitStack) -> socket.socket:
    """A bare connection that ends with the stack."""
    return stack.enter_context(socket.create_connection(("localhost", live.port), timeout=20))


def shaken(live: Live, stack: ExitStack, context: ssl.SSLContext | None) -> socket.socket:
    """A connection that can carry HTTP: with TLS on it where the server speaks TLS."""
    raw = connect(live, stack)
    return stack.enter_context(context.wrap_socket(raw, server_hostname="localhost")) if context else raw


def silent(live: Live, stack: ExitStack) -> None:
    """Connected, and not a byte."""
    for _ in range(SIZE):
        connect(live, stack)


def silent_in_tls(live: Live, stack: ExitStack) -> None:
    """A quarter stops in the middle of its handshake, the others right after it."""
    context = trust(live)
    assert context
    outgoing = ssl.MemoryBIO()
    hello = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        half = outgoing.read()[:100]
    for number in range(SIZE):
        if number % 4:
            shaken(live, stack, context)
        else:
            connect(live, stack).sendall(half)


def half_headers(live: Live, stack: ExitStack) -> None:
    """A head that never ends; one more byte of it every fifth of a second."""
    _dripping(live, stack, HALF)


def slow_bodies(live: Live, stack: ExitStack) -> None:
    """A body that never ends, one more byte of it every fifth of a second."""
    _dripping(live, stack, BODY)


def _dripping(live: Live, stack: ExitStack, begin: bytes) -> None:
    context = trust(live)
    wires = [shaken(live, stack, context) for _ in range(SIZE)]
    for wire in wires:
        wire.sendall(begin)
    done = threading.Event()

    def drip() -> None:
        while not done.wait(0.2):
            for wire in wires:
                try:
                    wire.sendall(b" ")
                except OSError:
                    continue  # The server has had enough of this one.

    thread = threading.Thread(target=drip)
    thread.start()
    stack.callback(thread.join)
    stack.callback(done.set)


@contextmanager
def crowd(gather: Callable[[Live, ExitStack], None] | None, live: Live) -> Iterator[None]:
    """The crowd is there for as long as the block runs."""
    with ExitStack() as stack:
        if gather:
            gather(live, stack)
        yield


def honest(live: Live, count: int, pause: float = 0.0) -> Waits:
    """So many requests for the zones, each on a new connection, TLS handshake and all; `pause` seconds between two."""
    context, token, seconds = trust(live), live.sign_in(), []
    for _ in range(count):
        begun = time.perf_counter()
        connection = (
            http.client.HTTPSConnection("localhost", live.port, timeout=30, context=context) if context
            else http.client.HTTPConnection("localhost", live.port, timeout=30)
        )
        connection.request("GET", ZONES, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert (answer.status, b"zoneList" in answer.read()) == (200, True)
        seconds.append(time.perf_counter() - begun)
        connection.close()
        time.sleep(pause)  # The crowd goes on in the meantime: all of its habits are to be met.
    return Waits(seconds)
