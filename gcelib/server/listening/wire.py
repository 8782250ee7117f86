"""One client's socket, never waited for: TLS handshake, requests as they arrive, refusals and a polite end.

Only the thread that has a connection in hand calls its methods: a worker, or the selector's while parked.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import time
from collections import deque

from gcelib.server.listening.arrival import Arrival
from gcelib.server.listening.envelope import raw_answer
from gcelib.server.listening.head import Head, Refusal
from gcelib.server.listening.limits import Limits
from gcelib.server.listening.stream import PIECE, SLOWEST, Allowance

log = logging.getLogger(__name__)

_CLIENT_HELLO = b"\x16"
_FEW = 64
"""Pieces of an answer that the system is handed as they are; it takes a thousand at most."""
_AT_ONCE = 0.25
"""Seconds that a thread spends on sending an answer before the selector looks after the rest."""


class Wire:
    """`tls` None: plain HTTP. `deadline` (monotonic seconds) is until when it may stay parked."""

    def __init__(
        self, sock: socket.socket, tls: ssl.SSLContext | None, limits: Limits, allowance: Allowance
    ) -> None:
        self.socket = sock
        self.secure = False
        self.draining = False
        self.answered = 0
        self.deadline = time.monotonic() + limits.first
        self._tls = tls
        self._limits = limits
        self._allowance = allowance
        self._arrival = Arrival(limits.head, limits.body)
        self._begun: float | None = None
        self._told_to_go_on = False
        self._held = 0
        self._unsent: deque[memoryview] = deque()
        sock.settimeout(0)

    @property
    def sending(self) -> bool:
        """Whether a part of the last answer has not left yet."""
        return bool(self._unsent)

    def receive(self) -> bool:
        """Read until a request is complete (True) or nothing more is there (False, and parked).

        Raises Refusal when it cannot be taken, EOFError when the client has gone, OSError when it broke.
        """
        try:
            if self._tls and not self.secure:
                self._shake_hands(self._tls)
            while not self._arrival.complete():
                self._settle()
                if self._arrival.awaits_continue() and not self._told_to_go_on:
                    self._told_to_go_on = True
                    self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._read()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._park()
            return False
        return True

    @property
    def target(self) -> bytes:
        """What the request that is complete asks for."""
        return self._arrival.target

    def take(self) -> tuple[Head, bytes]:
        """The request that is complete: head and body."""
        request = self._arrival.take()
        self._settle()
        self._begun, self._told_to_go_on = None, False
        return request

    def rest(self) -> bool:
        """A request was answered; whether bytes of a next one are already here."""
        self.answered += 1
        self.deadline = time.monotonic() + self._limits.idle
        buffered = isinstance(self.socket, ssl.SSLSocket) and self.secure and self.socket.pending() > 0
        return len(self._arrival) > 0 or buffered

    def send(self, parts: list[bytes]) -> bool:
        """Send an answer; whether all of it left at once. Raises OSError when the client is gone or may not have
        so much waiting for it."""
        size = sum(map(len, parts))
        self.deadline = time.monotonic() + self._limits.write + size / SLOWEST
        # Small ones leave as one packet; joining large ones would cost more than it saves.
        pieces = parts if size > PIECE and len(parts) <= _FEW and not self.secure else [b"".join(parts)]
        self._unsent = deque(memoryview(piece) for piece in pieces if piece)
        if self.flush(_AT_ONCE):
            return True
        rest = sum(map(len, self._unsent))
        if not self._allowance.take(rest):
            raise OSError("too much waits to be taken by clients")
        self._held += rest
        return False

    def flush(self, seconds: float = 0.0) -> bool:
        """Send what is left, for so long at most; whether nothing is left. Raises OSError."""
        end = time.monotonic() + seconds
        while self._unsent:
            try:
                self._send_some()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as full:
                left = end - time.monotonic()
                awaited = select.POLLIN if isinstance(full, ssl.SSLWantReadError) else select.POLLOUT
                if left <= 0 or not _ready(self.socket, awaited, left):
                    return False
        self._settle()
        return True

    def _send_some(self) -> None:
        """Send what the system takes now. Raises BlockingIOError, or TLS's word for it, when that is nothing."""
        # TLS insists that an attempt is repeated with the very bytes that could not be sent.
        sent = self.socket.send(self._unsent[0][:PIECE]) if self.secure else self.socket.sendmsg(self._unsent)
        while sent:
            piece = self._unsent.popleft()
            if sent < len(piece):
                self._unsent.appendleft(piece[sent:])
                break
            sent -= len(piece)

    def flush_to_the_end(self) -> bool:
        """Send what is left while the client takes it in time; whether nothing is left. Raises OSError."""
        return self.flush(max(self.deadline - time.monotonic(), 0.0))

    def refuse(self, status: int, message: str) -> bool:
        """Answer a request that cannot be taken, without waiting; whether the wire stays to be drained."""
        log.info("request of %s refused with %d: %s", self.peer(), status, message)
        self._arrival = Arrival(self._limits.head, self._limits.body)
        self._settle()
        if isinstance(self.socket, ssl.SSLSocket) and not self.secure:
            return False
        try:
            self.socket.send(raw_answer(status, message))
        except OSError:
            return False
        return self.half_close()

    def half_close(self) -> bool:
        """End our side and leave the client's to be drained; False when it is gone already.

        Closing on unread bytes would make the kernel reset the connection, answer and all (RFC 9112 9.6).
        """
        self.draining = True
        self.deadline = time.monotonic() + self._limits.linger
        try:
            self._say_goodbye()
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def drain(self) -> bool:
        """Throw away what came; whether more may come."""
        try:
            return bool(self.socket.recv(PIECE)) and time.monotonic() < self.deadline
        except BlockingIOError:
            return True

    def expired(self) -> bool:
        """The deadline has passed; whether the wire stays for the client to read why."""
        if self.draining or self.sending or self._begun is None or not self._speaks_http():
            return False
        return self.refuse(408, "The request did not arrive completely in time.")

    def close(self) -> None:
        """End it now. Never raises."""
        self._allowance.give(self._held)
        self._held = 0
        with contextlib.suppress(OSError, ValueError):
            self._say_goodbye()

    def peer(self) -> str:
        """The client's address, for the log."""
        try:
            return str(self.socket.getpeername()[0])
        except OSError:
            return "a client that is gone"

    def _speaks_http(self) -> bool:
        return self.secure or self._tls is None

    def _read(self) -> None:
        data = self.socket.recv(PIECE)
        if not data:
            raise EOFError
        self._arrival.feed(data)
        more = self._counted() - self._held
        if more > 0:
            if not self._allowance.take(more):
                raise Refusal(503, "Too many large requests are arriving at once; try again.")
            self._held += more

    def _shake_hands(self, tls: ssl.SSLContext) -> None:
        self._begun = self._begun or time.monotonic()
        if not isinstance(self.socket, ssl.SSLSocket):
            first = self.socket.recv(1, socket.MSG_PEEK)
            if not first:
                raise EOFError
            if first != _CLIENT_HELLO:
                raise Refusal(400, "This port speaks HTTPS only; use https:// in the address.")
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.socket.do_handshake()
        self.secure = True
        self._begun = None
        self.deadline = time.monotonic() + self._limits.first

    def _park(self) -> None:
        if self._begun is None and self._arrival.begun():
            self._begun = time.monotonic()
        if self._begun is not None:
            self.deadline = self._begun + self._limits.read + len(self._arrival) / SLOWEST

    def _settle(self) -> None:
        """Give back what is held no more."""
        still = self._counted()
        if still != self._held:
            self._allowance.give(self._held - still)
            self._held = still

    def _counted(self) -> int:
        """Bytes of what has arrived that count as held."""
        return max(0, len(self._arrival) - self._limits.small)

    def _say_goodbye(self) -> None:
        """TLS's own end, without waiting for the client's."""
        if self.secure and isinstance(self.socket, ssl.SSLSocket):
            self.secure = False
            with contextlib.suppress(OSError, ValueError):
                self.socket.unwrap()


def _ready(sock: socket.socket, awaited: int, seconds: float) -> bool:
    """Wait for so long until a socket can be read or written, or has broken."""
    watch = select.poll()
    watch.register(sock, awaited)
    return bool(watch.poll(seconds * 1000))
