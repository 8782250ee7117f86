"""The web application: Bottle's catch-all routes, and the way from WSGI to `web.Request` and back."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import bottle

from gcelib.errors import Fault
from gcelib.server import logs, metrics
from gcelib.server.listening.envelope import CONTENT_TYPE, envelope
from gcelib.server.listening.environ import Proxies, raw_target, read_request, request_id
from gcelib.web import Request, Response

log = logging.getLogger(__name__)

API = "/compute/"
Handler = Callable[[Request], Response]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
WSGI = Callable[..., Iterable[bytes]]
Gate = Callable[[Request], Response | None]
_ALLOW = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_BODILESS = frozenset({204, 304})
_OF_BODIES = frozenset({"Content-Type", "Content-Length"})


class _Application(bottle.Bottle):
    """A Bottle whose own errors are Google's envelope, never HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.config["catchall"] = False

    def default_error_handler(self, res: bottle.HTTPError) -> bytes:
        """The body of an error that Bottle found itself."""
        res.set_header("Content-Type", CONTENT_TYPE)
        return envelope(res.status_code, "The request cannot be answered.")


def build(
    *, api: Handler, gate_serve: Gate, home: Handler, external_url: str, trusted_proxies: tuple[str, ...]
) -> WSGI:
    """The WSGI app: `home` has GET /, then `gate_serve` its paths (None: not mine), `api` everything else.

    `external_url` is the base of every link when set, else the request's Host is. Forwarded headers count
    only from `trusted_proxies` (addresses or networks). `api` logs and counts its requests itself.
    """
    proxies = Proxies(trusted_proxies)

    def answered(environ: dict[str, Any], handler: Handler) -> Answer:
        id = request_id(environ)
        with logs.request_scope(id):
            return _complete(_guarded(lambda: handler(read_request(environ, id, external_url, proxies)), id), id)

    def serve(handler: Handler) -> bottle.HTTPResponse:
        status, headers, body = answered(bottle.request.environ, handler)
        return bottle.HTTPResponse(body, status, headers)

    def page(request: Request) -> Response:
        begun = time.perf_counter()
        return _record(request, "home", home(request), begun)

    def anything(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(204, {"Allow": _ALLOW})
        begun = time.perf_counter()
        answer = gate_serve(request)
        if answer is None:
            return api(request)
        return _record(request, "oauth2", answer, begun)

    app = _Application()
    app.route("/", method="GET", callback=lambda: serve(page))
    app.route("<path:re:[\\s\\S]*>", method="ANY", callback=lambda path: serve(anything))
    return _with_last_resort(app, lambda environ: answered(environ, anything))


def _with_last_resort(app: _Application, straight: Callable[[dict[str, Any]], Answer]) -> WSGI:
    """The app, with a straight way to the API; what fails even outside of a handler is an envelope, too."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        # Bottle drops what is not UTF-8, and would take "/%FF" for the home page.
        path = environ["PATH_INFO"] = raw_target(environ)[0]
        try:
            if path.startswith(API):
                # Bottle would only say of these that they are not the home page.
                return _sent(straight(environ), environ["REQUEST_METHOD"], start_response)
            chunks: Iterable[bytes] = app.wsgi(environ, start_response)
            return chunks
        except Exception:
            log.exception("the application failed outside of a handler")
            body = envelope(500, "Internal error; the server's log says more.")
            headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
            start_response("500 Internal Server Error", headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return wsgi


def _sent(answer: Answer, method: str, start_response: Callable[..., object]) -> list[bytes]:
    """An answer given to WSGI."""
    status, headers, body = answer
    bare = _OF_BODIES if status in _BODILESS else ()
    start_response(_line(status), [(name, _written(value)) for name, value in headers.items() if name not in bare])
    return [] if method == "HEAD" else [body]


def _record(request: Request, method: str, response: Response, begun: float) -> Response:
    """The request's line in the log and its place in the figures."""
    seconds = time.perf_counter() - begun
    metrics.request_done(method, response.status, _outcome(response.status), seconds)
    logs.request_done(request, {"method": method}, response, seconds)
    return response


def _outcome(status: int) -> str:
    """What came of a page of ours, which has no reasons."""
    return "ok" if status < HTTPStatus.BAD_REQUEST else "refused" if status < 500 else "failed"


def _guarded(answer: Callable[[], Response], id: str) -> Response:
    """The answer; a Fault that nobody rendered, or an exception, as Google's envelope."""
    try:
        return answer()
    except Fault as fault:
        headers = {"Content-Type": CONTENT_TYPE, **fault.headers}
        if fault.retry_after:
            headers.setdefault("Retry-After", str(fault.retry_after))
        body = envelope(fault.status, fault.message, fault.reason, fault.field)
        return Response(fault.status, headers, body)
    except Exception:
        log.exception("a handler failed")
        message = f"Internal error. The server's log says more under request id {id}."
        return Response(500, {"Content-Type": CONTENT_TYPE}, envelope(500, message))


def _complete(response: Response, id: str) -> Answer:
    """Status, headers and body of a response, with the headers that every answer has."""
    body = b"" if response.status in _BODILESS else response.body
    headers = {_capital(name): value for name, value in response.headers.items()}
    headers.setdefault("Content-Type", CONTENT_TYPE if response.body else "text/plain; charset=UTF-8")
    headers |= {"Content-Length": str(len(body)), "X-Request-Id": id, "X-Content-Type-Options": "nosniff"}
    return response.status, headers, body


def _written(value: str) -> str:
    """A header's value as WSGI wants it, UTF-8 in Latin-1's clothes. Raises ValueError for one of several lines."""
    if value.isascii() and value.isprintable():
        return value
    if set(value) & set("\r\n\0"):
        raise ValueError("a header's value has a line break in it")
    return value.encode().decode("latin-1")


@functools.lru_cache(64)
def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


@functools.lru_cache(256)
def _capital(name: str) -> str:
    return name.title()
