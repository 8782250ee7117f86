"""The administrator's port: /healthz (the process answers), /readyz (it can do its work), /metrics."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from gcelib.server import metrics
from gcelib.server.listening.envelope import CONTENT_TYPE, PHRASES, envelope

log = logging.getLogger(__name__)

Ready = Callable[[], tuple[bool, dict[str, Any]]]
_Answer = tuple[int, str, bytes]


def build(ready: Ready) -> Callable[..., Iterable[bytes]]:
    """The WSGI app of admin_listen; `ready` says whether requests can be served, and what each part says."""

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        status, kind, body = _answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], ready)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        if status == 405:
            headers.append(("Allow", "GET, HEAD"))
        start_response(f"{status} {PHRASES.get(status, 'OK')}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return app


def _answer(method: str, path: str, ready: Ready) -> _Answer:
    if path not in ("/healthz", "/readyz", "/metrics"):
        return 404, CONTENT_TYPE, envelope(404, "Here are /healthz, /readyz, /metrics and /console/ only.")
    if method not in ("GET", "HEAD"):
        return 405, CONTENT_TYPE, envelope(405, f"{path} answers GET only.")
    if path == "/healthz":
        return 200, CONTENT_TYPE, b'{"status": "ok"}'
    if path == "/metrics":
        return 200, metrics.CONTENT_TYPE, metrics.exposition()
    return _readiness(ready)


def _readiness(ready: Ready) -> _Answer:
    try:
        good, parts = ready()
    except Exception:
        log.exception("the readiness check itself failed")
        good, parts = False, {"check": "failed; the server's log says more"}
    body = json.dumps({"status": "ready" if good else "not ready", **parts}, default=str).encode()
    return 200 if good else 503, CONTENT_TYPE, body
