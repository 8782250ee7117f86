"""Bare sockets for tests of the listener: what a client library would never send."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from gcelib.server.listener import Listener

DEADLINE = 15.0


@dataclass
class Answer:
    """One HTTP answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """Google's error, once it is sure that this is one."""
        assert self.headers["content-type"] == "application/json; charset=UTF-8", self.headers
        error: dict[str, Any] = json.loads(self.body)["error"]
        assert error["code"] == self.status
        assert set(error["errors"][0]) >= {"domain", "reason", "message"}
        return error


class Wire:
    """A client's socket with a buffer, in clear or TLS."""

    def __init__(self, listener: Listener, tls: ssl.SSLContext | None = None) -> None:
        self.socket: socket.socket = socket.create_connection((listener.host, listener.port), timeout=DEADLINE)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def ask(self, data: bytes) -> Answer:
        """Send and read one answer."""
        self.send(data)
        return self.answer()

    def answer(self) -> Answer:
        """The next answer; its length is what its Content-Length says."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:])
        headers = {name.lower(): value for name, value in pairs}
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(lines[0].split()[1]), headers, body)

    def at_end(self) -> bool:
        """Wait for the server to hang up; False when it sends something instead."""
        with contextlib.suppress(ConnectionResetError):
            return self.socket.recv(1) == b""
        return True

    def open_for(self, seconds: float) -> bool:
        """Whether the server neither hangs up nor speaks for so long."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1, 0 if isinstance(self.socket, ssl.SSLSocket) else socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(DEADLINE)
        return False

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"the server hung up after {self._buffer!r}")
        self._buffer += data


def get(path: str = "/", *headers: str) -> bytes:
    """The bytes of a simple GET."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def eventually(condition: Any, seconds: float = DEADLINE) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
