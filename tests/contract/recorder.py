"""Stands between a client and the server, passes everything on as it is, and keeps what was said."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

KEPT = ("accept", "content-type", "user-agent", "authorization")
"""Request headers that a server could go by."""
_PASSED = ("content-type", "location", "www-authenticate", "retry-after", "allow", "cache-control")


@dataclass(frozen=True)
class Exchange:
    """One request, and the answer to it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


class Recorder:
    """A proxy on a port of its own; use it in a `with`."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.exchanges: list[Exchange] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="recorder")
        self.url = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self) -> list[Exchange]:
        """What was said since the last time."""
        taken, self.exchanges = self.exchanges, []
        return taken

    def _handler(recorder) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            """Passes one connection's requests on."""

            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                """Ask the server with the client's own Host, so that its links lead here, and answer in its words."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                with requests.Session() as session:
                    session.trust_env = False
                    asked = session.request(self.command, recorder._upstream + self.path, data=body, headers=headers,
                                            allow_redirects=False, timeout=150)
                kept = {name: self.headers[name] for name in KEPT if name in self.headers}
                recorder.exchanges.append(
                    Exchange(self.command, self.path, kept, body, asked.status_code, asked.content)
                )
                self.send_response_only(asked.status_code)
                for name in _PASSED:
                    if name in asked.headers:
                        self.send_header(name, asked.headers[name])
                self.send_header("Content-Length", str(len(asked.content)))
                self.end_headers()
                self.wfile.write(asked.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
