"""The simulator's HTTP side: keep-alive connections, the API, and the paths that steer the simulator."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from gcelib.simulator.control import Control
from gcelib.simulator.dispatch import Answer, Dispatcher

API = "/client/api"
LONGEST_LINE = 8192
LARGEST_BODY = 1 << 20
MOST_FIELDS = 5000
REASONS = {430: "Malformed Parameter", 431: "Param Error", 432: "Unsupported Action", 530: "Internal Error",
           531: "Account Error", 532: "Account Limit", 533: "Insufficient Capacity", 534: "Unavailable",
           535: "Allocation Error", 536: "In Use", 537: "Rule Conflict"}  # fmt: skip


def page(status: int, text: str) -> Answer:
    """A refusal by the web server itself: HTML, as Jetty's are."""
    body = f"<html><head><title>Error {status}</title></head><body><h2>{text}</h2></body></html>"
    return Answer(status=status, body=body.encode(), type="text/html;charset=iso-8859-1")


class Listener(ThreadingHTTPServer):
    """Serves one dispatcher; every connection has a thread of its own."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], dispatcher: Dispatcher, control: Control) -> None:
        self.dispatcher = dispatcher
        self.control = control
        self._open: set[socket.socket] = set()
        self._guard = threading.Condition()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for the host's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection, so that `hang_up` can end it."""
        assert isinstance(request, socket.socket)
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        """Forget a connection that has ended."""
        assert isinstance(request, socket.socket)
        super().shutdown_request(request)
        with self._guard:
            self._open.discard(request)
            self._guard.notify_all()

    def hang_up(self) -> None:
        """End every open connection, and wait a moment until their threads have let go of them."""
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # The other side was faster.
        with self._guard:
            self._guard.wait_for(lambda: not self._open, timeout=2.0)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "Jetty"
    sys_version = ""
    server: Listener

    def handle(self) -> None:
        """Serve until the client hangs up; that it does so in the middle is no news."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: request lines hold signatures."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(page(411, "Length Required"))
        elif int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(page(413, "Form too large"))
        else:
            self._serve(self.rfile.read(int(length)))

    do_DELETE = do_GET

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/simulator/"):
            self._send(self.server.control.answer(self.command, parts.path, body))
        elif parts.path.rstrip("/") != API:
            self._send(page(404, "Not Found"))
        elif len(self.path) > LONGEST_LINE:
            self._send(page(414, "URI Too Long"))
        else:
            self._send(self._api(parts.query, body))

    def _api(self, query: str, body: bytes) -> Answer:
        try:
            found = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
            found += parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        except ValueError:
            return page(400, "Unable to parse the parameters")
        pairs: dict[str, str] = {}
        for name, value in found:
            pairs.setdefault(name, value)
        return self.server.dispatcher.answer(pairs, self.command == "POST")

    def _send(self, answer: Answer) -> None:
        if answer.cut == "reset":
            self._reset()
            return
        reason = REASONS.get(answer.status) or self.responses.get(answer.status, ("",))[0]
        lines = [
            f"HTTP/1.1 {answer.status} {reason}",
            f"Date: {self.date_time_string(self.server.dispatcher.world.now())}",
            f"Content-Type: {answer.type}",
            f"Content-Length: {len(answer.body)}",
            "X-Content-Type-Options: nosniff",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if answer.cut == "half":
            self.wfile.write(head + answer.body[: len(answer.body) // 2])
            self.close_connection = True
            return
        self.wfile.write(head + answer.body)

    def _reset(self) -> None:
        """Drop the connection the hard way: the client gets a reset, not an end."""
        self.close_connection = True
        descriptor = self.connection.detach()
        with socket.socket(fileno=descriptor) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
