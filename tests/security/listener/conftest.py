"""Listeners on free ports, with an application that tells what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wires import Wire

from gcelib.config import ServerConfig
from gcelib.server import tls
from gcelib.server.listener import Listener
from gcelib.server.listening.limits import Limits


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A WSGI app that answers with what it got, in JSON."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    if environ["PATH_INFO"] == "/fail":
        raise RuntimeError("as ordered")
    seen = {
        "method": environ["REQUEST_METHOD"], "uri": environ["REQUEST_URI"], "scheme": environ["wsgi.url_scheme"],
        "body": body.decode("latin-1"), "host": environ.get("HTTP_HOST", ""),
        "headers": {name: value for name, value in environ.items() if name.startswith("HTTP_")},
    }
    answer = b"x" * int(environ["QUERY_STRING"] or 0) if environ["PATH_INFO"] == "/large" else json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a local CA and a server certificate."""
    folder = tmp_path_factory.mktemp("state")
    tls.context(ServerConfig(state_dir=folder))
    return folder


@pytest.fixture
def trust(certificates: Path) -> ssl.SSLContext:
    """A client's context that trusts the local CA."""
    return ssl.create_default_context(cafile=str(certificates / "ca.pem"))


@pytest.fixture
def serve(certificates: Path) -> Iterator[Callable[..., Listener]]:
    """Starts listeners: `serve(threads=2, secure=True, app=..., lanes=..., read=1.0)`; the rest are Limits."""
    running: list[tuple[Listener, threading.Thread]] = []

    def start(*, threads: int = 2, secure: bool = False, app: Any = echo, lanes: Any = None, **limits: Any) -> Listener:
        context = tls.context(ServerConfig(state_dir=certificates)) if secure else None
        listener = Listener(app, "127.0.0.1:0", threads=threads, tls=context, limits=Limits(**limits),
                            lanes=lanes)
        listener.prepare()
        thread = threading.Thread(target=listener.serve)
        thread.start()
        running.append((listener, thread))
        return listener

    yield start
    for listener, thread in running:
        assert listener.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def connect() -> Iterator[Callable[..., Wire]]:
    """Opens client sockets and closes them in the end."""
    wires: list[Wire] = []

    def open_one(listener: Listener, context: ssl.SSLContext | None = None) -> Wire:
        wires.append(Wire(listener, context))
        return wires[-1]

    yield open_one
    for wire in wires:
        wire.close()
