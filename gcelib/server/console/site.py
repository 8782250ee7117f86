"""The console's paths: who may see each page, what forms do, and an answer whatever happens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from gcelib.auth import audit
from gcelib.auth.sessions import Session
from gcelib.errors import Fault, NotFound, Unavailable, WrongVerb
from gcelib.server import logs
from gcelib.server.console import accounts, clouds, coverage, deeds, figures, operation, operations, overview, projects
from gcelib.server.console.desk import Desk, Visit
from gcelib.server.console.entrance import Entrance, posted
from gcelib.server.console.frame import BASE, LIVE, Page, icon, seen_elsewhere, write
from gcelib.server.console.markup import el, join
from gcelib.server.console.sight import Sight
from gcelib.server.listening.environ import Proxies, read_request, request_id
from gcelib.server.trail import Trail
from gcelib.web import Request, Response

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Pages that are made at the same time; others are told to come again, so that probes of health find a thread."""
PATIENCE = 3.0
"""Seconds that a page waits for its turn."""

_PAGES: Mapping[str, Callable[[Visit], Page]] = {
    "/": overview.page, "/clouds": clouds.page, "/projects": projects.page, "/operations": operations.page,
    "/figures": figures.page, "/accounts": accounts.page, "/coverage": coverage.page,
}


class Console:
    """Callable: a Request below BASE to a Response."""

    def __init__(self, desk: Desk, entrance: Entrance, trail: Trail) -> None:
        self._desk, self._entrance, self._trail = desk, entrance, trail
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, request: Request) -> Response:
        """Answer; who signs in and out, and which forms are refused, goes into the audit log."""
        if not self._turns.acquire(timeout=PATIENCE):
            return self._sorry(request, Unavailable("The console is busy; look again in a moment.", retry_after=2))
        try:
            with audit.noting() as noted:
                answer = self._whatever_happens(request)
                if request.method == "POST" and "deed" not in noted:
                    self._trail.console(request, noted, answer)
            return answer
        finally:
            self._turns.release()

    def _whatever_happens(self, request: Request) -> Response:
        session = None
        try:
            if request.path == f"{BASE}/icon.svg":
                return icon()
            if request.path == f"{BASE}/sign-in":
                return self._entrance.sign_in(request)
            session = self._entrance.session(request)
            return self._answered(request, session) if session else self._door(request)
        except Fault as fault:
            audit.note(reason=fault.reason)
            return self._sorry(request, fault, session)
        except Exception:
            log.exception("the console broke at %s", request.path)
            return self._sorry(request, Fault(f"gcelib made a mistake with this page; its log has the details under "
                                              f"'{request.id}'."), session)

    def _answered(self, request: Request, session: Session) -> Response:
        path = request.path.removeprefix(BASE) or "/"
        if request.method == "POST":
            return self._done(request, session, path)
        if request.method != "GET":
            raise WrongVerb("Pages are looked at with GET.", headers={"Allow": "GET, HEAD, POST"})
        visit = self._visit(request, session)
        kind, _, name = path.removeprefix("/").partition("/")
        if kind == "operations" and name:
            page = operation.page(visit, unquote(name))
        elif path in _PAGES:
            page = _PAGES[path](visit)
        else:
            raise NotFound(f"The console has no page '{path}'.")
        return write(page, request, session, visit.now)

    def _done(self, request: Request, session: Session, path: str) -> Response:
        """What a form asks for."""
        posted(request, session)
        if path == "/sign-out":
            return self._entrance.sign_out(request)
        kind, name, deed = (*path.removeprefix("/").split("/"), "", "", "")[:3]
        if kind == "operations" and deed:
            # It has a line of its own, whatever comes of it.
            audit.note(deed=deed)
            visit = self._visit(request, session)
            return seen_elsewhere(deeds.done(visit, operation.found(visit, unquote(name)).record, deed))
        raise NotFound(f"No form of the console is sent to '{path}'.")

    def _visit(self, request: Request, session: Session) -> Visit:
        return Visit(self._desk, request, session, Sight(session.caller, self._desk.config()), self._desk.clock())

    def _door(self, request: Request) -> Response:
        """To the sign-in page, and from there back to where somebody wanted to go."""
        if request.header(LIVE):
            return Response(401, {"Content-Type": "text/plain; charset=utf-8"}, b"Sign in again.")
        if request.method != "GET":
            return self._entrance.ended(request)
        to = f"{request.path}?{request.query}" if request.query else request.path
        return seen_elsewhere(f"{BASE}/sign-in" + (f"?to={quote(to, safe='/')}" if to != f"{BASE}/" else ""))

    def _sorry(self, request: Request, fault: Fault, session: Session | None = None) -> Response:
        phrase = HTTPStatus(fault.status).phrase
        body = join([el("h1", phrase), el("p", fault.message, class_="alert wrong"),
                     el("p", el("a", "Overview", href=f"{BASE}/"))])
        inside = body if session else el("div", body, class_="card enter")
        answer = write(Page(phrase, inside, status=fault.status), request, session, self._desk.clock())
        wait = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        return Response(answer.status, {**answer.headers, **wait, **fault.headers}, answer.body)


WSGI = Callable[..., Iterable[bytes]]


def beside(
    others: WSGI, console: Callable[[], Callable[[Request], Response] | None], trusted_proxies: tuple[str, ...]
) -> WSGI:
    """The WSGI app of the administrator's port: the console below BASE and at "/", `others` for every other path."""
    proxies = Proxies(trusted_proxies)

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        path, found = environ["PATH_INFO"], console()
        if found is None or not (path == "/" or path == BASE or path.startswith(f"{BASE}/")):
            return others(environ, start_response)
        answer = seen_elsewhere(f"{BASE}/") if path in ("/", BASE) else _asked(found, environ, proxies)
        headers = {**answer.headers, "Content-Length": str(len(answer.body))}
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    return app


def _asked(console: Callable[[Request], Response], environ: dict[str, Any], proxies: Proxies) -> Response:
    id = request_id(environ)
    with logs.request_scope(id):
        try:
            request = read_request(environ, id, "", proxies)
        except Fault as fault:
            return Response(fault.status, {"Content-Type": "text/plain; charset=utf-8"}, fault.message.encode())
        answer = console(request)
    return Response(answer.status, {**answer.headers, "X-Request-Id": id}, answer.body)
