"""The web application on a real port, with handlers that tests choose."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gcelib.server import app
from gcelib.server.listener import Listener
from gcelib.web import Request, Response


@dataclass
class Site:
    """A running application: what it was asked last, and a way to ask it."""

    listener: Listener
    seen: list[Request]

    def ask(
        self, path: str = "/x", method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.listener.host, self.listener.port, timeout=15)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    """`site(api=..., gate=..., home=..., external_url=..., trusted_proxies=...)` starts one."""
    running: list[tuple[Listener, threading.Thread]] = []

    def start(
        api: Callable[[Request], Response] = lambda request: Response(200, {}, b"api"),
        gate: Callable[[Request], Response | None] = lambda request: None,
        home: Callable[[Request], Response] = lambda request: Response(200, {"content-type": "text/html"}, b"home"),
        **options: Any,
    ) -> Site:
        seen: list[Request] = []

        def noting(request: Request) -> Response:
            seen.append(request)
            return api(request)

        settings = {"external_url": "", "trusted_proxies": (), **options}
        wsgi = app.build(api=noting, gate_serve=gate, home=home, **settings)
        listener = Listener(wsgi, "127.0.0.1:0", threads=2)
        listener.prepare()
        thread = threading.Thread(target=listener.serve)
        thread.start()
        running.append((listener, thread))
        return Site(listener, seen)

    yield start
    for listener, thread in running:
        assert listener.stop()
        thread.join(10)
