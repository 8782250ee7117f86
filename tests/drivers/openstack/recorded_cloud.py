"""An OpenStack that answers what a real one was recorded to answer, over HTTP; a test may script other answers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gcelib.config.options import CloudConfig
from gcelib.config.sealed import Secret
from gcelib.drivers import registry
from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.drivers.profile import Keys

HERE = Path(__file__).with_name("recorded")
MADE: Mapping[str, str] = json.loads((HERE / "made.json").read_text())
"""The ids of the things that the recorded project holds."""
USER, PASSWORD, PROJECT = "demo", "a password nobody has", "demo"
STRANGER = {"error": {"code": 401, "message": "The request you have made requires authentication."}}
HOST = re.compile(r"http://(\w+)\.cloud\.example")

Answer = tuple[int, Any] | None
Script = Callable[[str, str, Any], Answer]
"""(method, "service /path", body) to status and JSON; None for what was recorded."""


class Recorded:
    """Services as one HTTP server, each under its own path. `calls` are (method, "service /path?query").

    `valid` is the token it takes, `given` how often somebody signed in; `leaves_out` are types of services it has not.
    """

    def __init__(self) -> None:
        self.script: Script = lambda method, path, body: None
        self.calls: list[tuple[str, str]] = []
        self.valid = "token-1"
        self.given = 0
        self.leaves_out: tuple[str, ...] = ()
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                stub._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def cloud(self, endpoint: str = "", password: str = PASSWORD, timeout: float = 5.0, **options: Any) -> OpenStack:
        """The driver over it, or over what stands at another endpoint before it; nothing remembered."""
        told = {"ex_tenant_name": PROJECT, **options}
        config = CloudConfig("lab", "openstack", endpoint=(endpoint or self.url) + "/v3", key=USER,
                             secret=Secret(password), options=told, timeout=timeout)
        profile = registry.profile_of("openstack")
        made: OpenStack = registry.family(profile).build(profile, config, Keys(USER, password), "", lambda *told: None)
        return made

    def sent(self, method: str) -> list[str]:
        """The paths of the calls of one method, Keystone's left out."""
        return [path for verb, path in self.calls if verb == method and not path.startswith("identity")]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        text = handler.rfile.read(length).decode()
        parts = urlsplit(handler.path)
        service, path = self._split(parts.path)
        where = f"{service} {path}" + (f"?{parts.query}" if parts.query else "")
        with self._lock:
            self.calls.append((handler.command, where))
        body = json.loads(text) if text else None
        if service == "identity":
            self._identify(handler, path, body)
            return
        if handler.headers.get("X-Auth-Token") != self.valid:
            _reply(handler, 401, STRANGER)
            return
        _reply(handler, *(self.script(handler.command, where, body) or self._recorded(service, path)))

    def _split(self, path: str) -> tuple[str, str]:
        if path.startswith("/v3/auth"):
            return "identity", path
        _, service, rest = path.split("/", 2)
        return service, "/" + re.sub(r"^(v2\.1/|v3/[0-9a-f]{32}/)", "", rest)

    def _identify(self, handler: BaseHTTPRequestHandler, path: str, body: Any) -> None:
        if path == "/v3/auth/projects":
            _reply(handler, 200, _read("identity-v3-auth-projects"))
            return
        if handler.command == "POST":
            user = body["auth"]["identity"]["password"]["user"]
            if (user["name"], user["password"]) != (USER, PASSWORD):
                _reply(handler, 401, STRANGER)
                return
            self.given += 1
        text = json.dumps(_read("identity-v3-auth-tokens"))
        token = json.loads(HOST.sub(lambda found: f"{self.url}/{found[1]}", text))
        token["token"]["catalog"] = [each for each in token["token"]["catalog"] if each["type"] not in self.leaves_out]
        token["token"]["expires_at"] = "2099-01-01T00:00:00.000000Z"
        _reply(handler, 201 if handler.command == "POST" else 200, token, {"X-Subject-Token": self.valid})

    def _recorded(self, service: str, path: str) -> tuple[int, Any]:
        if path.startswith("/v2/images/"):
            image = next((row for row in _read("image-v2-images")["images"] if path.endswith(row["id"])), None)
            return (404, "<h1>No image found</h1>") if image is None else (200, image)
        name = re.sub(r"[^a-z0-9.]+", "-", f"{service} {path}".lower()).strip("-")
        name = re.sub(r"quotas-[0-9a-f]{32}", "quotas-project", name).replace(MADE["node"], "vm-image")
        if not (HERE / f"{name}.json").exists():
            return 404, {"itemNotFound": {"code": 404, "message": f"{path} could not be found."}}
        return 200, _read(name)


@contextmanager
def recorded() -> Iterator[Recorded]:
    """A recorded cloud for a while."""
    made = Recorded()
    try:
        yield made
    finally:
        made.close()


def query(path: str) -> dict[str, str]:
    """The parameters of a call."""
    return dict(parse_qsl(urlsplit(path).query))


def _read(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text())


def _reply(handler: BaseHTTPRequestHandler, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
    plain = isinstance(body, str)
    data = b"" if body is None else (body if plain else json.dumps(body)).encode()
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Type", "text/html" if plain else "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
