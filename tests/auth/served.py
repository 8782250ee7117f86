"""A gate served over HTTP on a free port, and a plain client of it."""

from __future__ import annotations

import html.parser
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from gcelib.auth import Gate
from gcelib.auth.accounts import Accounts
from gcelib.errors import Fault
from gcelib.store import Store
from gcelib.web import Request, Response

OOB = "urn:ietf:wg:oauth:2.0:oob"
CLIENT = "32555940559.apps.googleusercontent.com"
PASSWORD = 'correct horse <battery> & "staple"'
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


@dataclass
class Clock:
    """The present moment, moved by hand."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Answer:
    """What came back over HTTP; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.links: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input":
            self.fields[str(named["name"])] = str(named.get("value", ""))
        if tag == "a":
            self.links.append(str(named["href"]))
        if tag not in ("input", "meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag] = self.texts.get(tag, "") + data


def page(answer: Answer) -> _Page:
    parsed = _Page()
    parsed.feed(answer.text)
    return parsed


@dataclass
class Site:
    """A running server, what it knows, and a plain client of it."""

    url: str
    gate: Gate
    store: Store
    accounts: Accounts
    clock: Clock
    key: Mapping[str, str]
    person: str = "ann@example.com"
    calls: list[str] = field(default_factory=list)

    def send(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; redirects are not followed."""
        parts = urlsplit(self.url)
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=20)
        sent = dict(headers or {})
        body = None
        if form is not None:
            body = form if isinstance(form, str) else urlencode(form)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def ask(self, **more: str) -> str:
        """The path of an authorization request as gcutil makes it."""
        asked = {
            "scope": f"{CLOUD_PLATFORM} https://www.googleapis.com/auth/compute",
            "redirect_uri": OOB,
            "response_type": "code",
            "client_id": CLIENT,
            "access_type": "offline",
            **more,
        }
        return f"/oauth2/auth?{urlencode({name: value for name, value in asked.items() if value})}"

    def sign_in(self, user: str = "", password: str = PASSWORD, **more: str) -> Answer:
        """Fill in the form as a person would, and send it."""
        shown = self.send("GET", self.ask(**more))
        assert shown.status == 200, shown.text
        fields = page(shown).fields
        fields |= {"user": user or self.person, "password": password}
        return self.send("POST", "/oauth2/auth", fields)

    def code(self, **more: str) -> str:
        """A code, read off the out-of-band page."""
        return page(self.sign_in(**more)).texts["code"]

    def exchange(self, code: str, **more: str) -> Answer:
        """A code for tokens, as gcutil does it."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": OOB,
            "client_id": CLIENT,
            "client_secret": "known to the world",
            "scope": CLOUD_PLATFORM,
            **more,
        }
        return self.send("POST", "/oauth2/token", {name: value for name, value in form.items() if value})

    def refresh(self, token: str, **more: str) -> Answer:
        """A refresh token for an access token."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT, **more}
        return self.send("POST", "/oauth2/token", form)

    def whoami(self, token: str) -> Answer:
        """What the API says to a bearer of this token."""
        return self.send("GET", "/whoami", headers={"Authorization": f"Bearer {token}"})


def _respond(gate: Gate, request: Request) -> Response:
    try:
        served = gate.serve(request)
        if served:
            return served
        caller = gate.caller(request)
        return Response(200, {}, f"{caller.email} {sorted(caller.roles.items())}".encode())
    except Fault as fault:
        return Response(fault.status, fault.headers, f"{fault.reason}: {fault.message}".encode())


def server(gate: Gate) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            request = Request(
                self.command, path, query, headers, body, f"http://{headers['host']}", self.client_address[0]
            )
            response = _respond(gate, request)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server
