"""A tiny HTTP server that stands for a cloud: it checks signatures and answers what a test scripts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY, SECRET = "key-of-the-account", "secret-of-the-account"

Reply = dict[str, Any] | tuple[int, str, bytes] | str
Script = Callable[[str, dict[str, str]], Reply]


def server_signature(params: dict[str, str], secret: str) -> str:
    """The signature as the management server computes it, written independently of gcelib."""
    kept = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-._"
    pairs = []
    for name in sorted(params):
        if name.lower() != "signature":
            coded = "".join(c if c in kept else "".join(f"%{b:02X}" for b in c.encode()) for c in params[name])
            pairs.append(f"{name}={coded}")
    digest = hmac.new(secret.encode(), "&".join(pairs).lower().encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class Stub:
    """`script(command, params)` gives a dict for the fields of a 200 answer, (status, type, body), or a word:
    "reset" drops the connection, "half" sends half a body, "drip" byte after byte,
    "slow" waits longer than any test's timeout."""

    def __init__(self, script: Script | None = None) -> None:
        self.script: Script = script or (lambda command, params: {})
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with stub._lock:
                    stub.connections += 1

            def do_GET(self) -> None:
                stub._serve(self, urllib.parse.urlsplit(self.path).query)

            def do_POST(self) -> None:
                stub._serve(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, format: str, *args: Any) -> None:
                """Silence: the tests look at `calls`."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/client/api"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def commands(self) -> list[str]:
        """The commands received, in order."""
        return [command for _, command, _ in self.calls]

    def _serve(self, handler: BaseHTTPRequestHandler, text: str) -> None:
        params = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        command = params["command"]
        with self._lock:
            self.calls.append((handler.command, command, params))
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        status, kind, body = self._reply(command, params, handler)
        if status == 0:
            return
        length = len(body) if kind != "half" else 2 * len(body)
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json; charset=UTF-8" if kind == "half" else kind)
        handler.send_header("Content-Length", str(length))
        if status in (301, 302):
            handler.send_header("Location", self.url)
        handler.end_headers()
        handler.wfile.write(body)
        if kind == "half":
            handler.close_connection = True

    def _reply(
        self, command: str, params: dict[str, str], handler: BaseHTTPRequestHandler
    ) -> tuple[int, str, bytes]:
        if params.get("apiKey") != KEY or params.get("signature") != server_signature(params, SECRET):
            return refusal(command, 401, "unable to verify user credentials")
        reply = self.script(command, params)
        if reply == "reset":
            handler.close_connection = True
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            handler.connection.close()
            return 0, "", b""
        if reply == "slow":
            self.released.wait(20)
            return 200, "application/json", b"{}"
        if reply == "drip":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            while not self.released.wait(0.05):
                handler.wfile.write(b" ")
            return 0, "", b""
        if reply == "half":
            return 200, "half", b'{"listzonesresponse":{"zone":[{"id":"z'
        if isinstance(reply, tuple):
            return reply
        return 200, "application/json; charset=UTF-8", json.dumps({f"{command.lower()}response": reply}).encode()


def refusal(command: str, code: int, words: str) -> tuple[int, str, bytes]:
    """CloudStack's error answer."""
    error = {"uuidList": [], "errorcode": code, "cserrorcode": 9999, "errortext": words}
    return code, "application/json; charset=UTF-8", json.dumps({f"{command.lower()}response": error}).encode()


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
