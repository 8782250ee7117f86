"""One client of the listener: its requests, in their turn, as Cheroot's."""

from __future__ import annotations

import contextlib
import functools
import logging
import select
import socket
import ssl
import sys
import time
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes

from cheroot import server, wsgi

from gcelib.server.lanes import alone
from gcelib.server.listening.envelope import raw_answer
from gcelib.server.listening.head import Head, Refusal
from gcelib.server.listening.stream import Inbox, Outbox
from gcelib.server.listening.turnstile import RETRY, Entry
from gcelib.server.listening.wire import Wire

log = logging.getLogger(__name__)

_OURS = frozenset({b"connection", b"date", b"server"})
_MOMENT = 2
"""Milliseconds."""
_LONGEST = 64
"""Letters of a header's name that is worth remembering."""


class Request(server.HTTPRequest):
    """Cheroot's request, filled from a head that was read before."""

    def parse_request(self) -> None:
        """Take what arrived; nothing is left to be parsed."""
        head: Head = self.conn.head
        self.scheme = b"https" if self.conn.wire.secure else b"http"
        self.started_request = self.ready = True
        self.method, self.uri, self.authority = head.method, head.target, b""
        path, _, self.qs = head.target.partition(b"?")
        self.path = unquote_to_bytes(path)
        self.request_protocol = head.version
        self.response_protocol = head.version.decode()
        self.inheaders = {b"Content-Length": b"%d" % len(self.conn.rfile.getbuffer())}
        self.close_connection = not head.persistent

    def simple_response(self, status: str, msg: str = "") -> None:
        """An answer of Cheroot's own, in Google's words; the connection ends with it."""
        self.close_connection = self.sent_headers = True
        code = int(str(status)[:3])
        text = msg or ("Internal error; the server's log says more." if code == 500 else str(status)[4:])
        self.conn.wfile.write(raw_answer(code, text))

    def send_headers(self) -> None:
        """Write status and headers, all of which the application has set but for who answers and when."""
        names = {name.lower() for name, _ in self.outheaders}
        if b"content-length" not in names or not names.isdisjoint(_OURS):
            super().send_headers()
            return
        if not self.close_connection:
            self.close_connection = not self.server.can_add_keepalive_connection
        status: Any = self.status
        lines = [b"HTTP/1.1 %b" % status, *(b"%b: %b" % pair for pair in self.outheaders)]
        if self.close_connection:
            lines.append(b"Connection: close")
        elif self.response_protocol != "HTTP/1.1":
            lines.append(b"Connection: Keep-Alive\r\nKeep-Alive: timeout=%d" % self.server.timeout)
        lines.append(b"Date: %b\r\nServer: gcelib\r\n\r\n" % _date(int(time.time())))
        self.conn.wfile.write(b"\r\n".join(lines))


@functools.lru_cache(4)
def _date(second: int) -> bytes:
    """A moment as HTTP writes it (RFC 9110 section 5.6.7)."""
    return formatdate(second, usegmt=True).encode()


class Gateway(wsgi.Gateway_10):
    """WSGI 1.0, with the address that this client reached as the server's name."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """The environ of this request."""
        request, conn = self.req, self.req.conn
        environ = {
            "ACTUAL_SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": request.path.decode("latin-1"),
            "QUERY_STRING": request.qs.decode("latin-1"), "REMOTE_ADDR": conn.remote_addr or "",
            "REMOTE_PORT": str(conn.remote_port or ""), "REQUEST_METHOD": request.method.decode("latin-1"),
            "REQUEST_URI": request.uri.decode("latin-1"), "SCRIPT_NAME": "", "SERVER_NAME": conn.host,
            "SERVER_PORT": str(request.server.bind_addr[1]), "SERVER_PROTOCOL": request.response_protocol,
            "SERVER_SOFTWARE": request.server.software, "wsgi.errors": sys.stderr, "wsgi.input": request.rfile,
            "wsgi.input_terminated": False, "wsgi.multiprocess": False, "wsgi.multithread": True,
            "wsgi.run_once": False, "wsgi.url_scheme": request.scheme.decode(), "wsgi.version": self.version,
        }
        for name, value in conn.head.fields.items():
            environ[_variable(name) if len(name) <= _LONGEST else _named(name)] = value.decode("latin-1")
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = request.inheaders[b"Content-Length"].decode()
        return environ

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Note status and headers. Cheroot's own would look at each word of them by itself."""
        if self.started_response or exc_info:
            return super().start_response(status, headers, exc_info)
        self.started_response = True
        self.req.status = status.encode("latin-1")
        self.req.outheaders += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        length = next((value for name, value in headers if name.lower() == "content-length"), None)
        self.remaining_bytes_out = None if length is None else int(length)
        return self.write


def _named(name: bytes) -> str:
    """What a header is called in an environ."""
    text = name.decode("latin-1").upper().replace("-", "_")
    return text if text in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{text}"


_variable = functools.lru_cache(256)(_named)


class Connection(server.HTTPConnection):
    """One client: what it sends is gathered by its wire, what is complete is answered by Cheroot."""

    RequestHandlerClass = Request

    def __init__(self, owner: Any, sock: socket.socket, makefile: object = None) -> None:
        super().__init__(owner, sock, self._file)
        self.wire = Wire(sock, owner.tls, owner.limits, owner.allowance)
        self.head: Head | None = None
        self.keep = True
        self._answered = False
        self.lane = ""
        self.seated = self.refused = False

    @functools.cached_property
    def host(self) -> str:
        """The address that the client reached, IPv6 in brackets."""
        host = str(self.wire.socket.getsockname()[0])
        return f"[{host}]" if ":" in host else host

    def _file(self, sock: socket.socket, mode: str, size: int) -> Inbox | Outbox:
        return Inbox() if "r" in mode else Outbox()

    def communicate(self) -> bool:
        """Do what can be done now; whether the connection stays. Neither reading nor writing ever waits long."""
        stays = self._go_on()
        while stays and self._asks_again():
            stays = self._go_on()
        return stays

    def _asks_again(self) -> bool:
        """Whether a client that was just answered has its next request here within a moment, and nobody else waits.

        Handing the connection to the selector and back costs as much as many an answer.
        """
        answered, self._answered = self._answered, False
        if not answered or self.rfile.pending or self.server.requests.qsize or not self.server.ready:
            return False
        watch = select.poll()
        watch.register(self.wire.socket, select.POLLIN)
        return bool(watch.poll(_MOMENT))

    def _go_on(self) -> bool:
        try:
            if self.wire.draining:
                return self.wire.drain()
            if self.wire.sending:
                return self._sent(self.wire.flush())
            if self.seated:
                return self._answer()
            return self._enter() if self.wire.receive() else self._wait()
        except Refusal as refusal:
            return self.wire.refuse(refusal.status, refusal.message) and self._wait()
        except EOFError:
            return False
        except ssl.SSLError as error:
            log.info("TLS with %s failed: %s", self.remote_addr, error.reason or error)
        except OSError as error:
            log.debug("connection of %s lost: %s", self.remote_addr, error)
        finally:
            self.socket = self.wire.socket
        return False

    def _wait(self) -> bool:
        self.rfile.pending = False
        return True

    def _enter(self) -> bool:
        """A request is here: answer it, if its lane has a thread to spare."""
        lane = self.server.lane_of(self.wire.target)
        entry = self.server.turnstile.enter(lane) if lane else Entry.GO
        self.lane, self.seated, self.refused = lane, entry is Entry.GO, entry is Entry.FULL
        return self._answer() if self.seated else self._wait()

    def _answer(self) -> bool:
        self.head, body = self.wire.take()
        self.rfile, self.wfile = Inbox(body), Outbox()
        try:
            self.keep = bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            for conn in self.stand_up(failed=self.wfile.failed and alone(self.lane)):
                self.server.process_conn(conn)
        self.rfile = Inbox()
        return self._sent(self.wire.send(self.wfile.parts))

    def stand_up(self, *, failed: bool = False) -> list[Connection]:
        """Leave the lane's seat to those who wait for it, who are to go on."""
        lane, self.lane, self.seated = self.lane, "", False
        called: list[Connection] = self.server.turnstile.leave(lane, failed=failed) if lane else []
        for conn in called:
            conn.seated = True
        return called

    def turn_away(self) -> bool:
        """Say without a thread, or the application, that too many requests for the same clouds wait already."""
        self.lane, self.refused, (head, _) = "", False, self.wire.take()
        self.keep = head.persistent
        words = "Too many requests for the same clouds wait already; nothing was done. Try again."
        bare = head.method == b"HEAD"
        return self._sent(self.wire.send([raw_answer(503, words, retry=RETRY, last=not self.keep, bare=bare)]))

    def _sent(self, completely: bool) -> bool:
        """An answer has left, or a part of it has; whether the connection stays."""
        if not completely and (self.server.ready or not self.wire.flush_to_the_end()):
            return self._wait()
        more = self.wire.rest()
        self.rfile.pending = self.keep and more
        self._answered = self.keep
        return self.keep or (more and self.wire.half_close())

    def close(self) -> None:
        """End it now. Never raises: that would end the worker."""
        self.wire.close()
        with contextlib.suppress(OSError, ValueError):
            super().close()
