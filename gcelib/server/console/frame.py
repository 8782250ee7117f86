"""One HTML document around what a page of the console says: its heads, its ways, and the policy that lets nothing else
in."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gcelib.auth.pages.document import hashed, headers_of
from gcelib.auth.sessions import Session
from gcelib.server.console.markup import Html, el, join
from gcelib.web import Request, Response

BASE = "/console"
"""Every path of the console begins so."""
LIVE = "gcelib-live"
"""The header of a request that wants what is inside `main` only."""

PAGES = (
    ("/", "Overview"), ("/clouds", "Clouds"), ("/projects", "Projects"), ("/operations", "Operations"),
    ("/figures", "Figures"), ("/accounts", "Accounts"), ("/coverage", "Coverage"),
)

_HERE = Path(__file__).parent
_STYLE = (_HERE / "console.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "live.js").read_text(encoding="utf-8")
ICON = (_HERE / "icon.svg").read_bytes()
_POLICY = (
    f"default-src 'none'; style-src {hashed(_STYLE)}; script-src {hashed(_SCRIPT)}; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says. `live`: seconds between two looks of the script, 0 for none; `news`: the page in a sentence,
    which is read aloud when it changes."""

    title: str
    body: Html
    live: float = 0
    news: str = ""
    status: int = 200


def write(page: Page, request: Request, session: Session | None, now: float) -> Response:
    """The page as an answer; only its middle where the script asked for it."""
    if request.header(LIVE) and page.status < 400:
        part = el("div", page.body, data_news=page.news, data_now=_clock(now))
        return Response(page.status, headers_of(_POLICY), part.encode(errors="replace"))
    text = _document(page, request, session, now)
    return Response(page.status, headers_of(_POLICY), text.encode(errors="replace"))


def seen_elsewhere(path: str, headers: Mapping[str, str] | None = None) -> Response:
    """The browser is to look at another page of ours."""
    return Response(303, {"Location": path, "Cache-Control": "no-store", **(headers or {})}, b"")


def icon() -> Response:
    """The picture in a window's tab."""
    return Response(200, {"Content-Type": "image/svg+xml", "Cache-Control": "max-age=86400"}, ICON)


def csrf(session: Session) -> Html:
    """What a form carries to show that it is a page of this session that sends it."""
    return el("input", type="hidden", name="csrf", value=session.csrf)


def _document(page: Page, request: Request, session: Session | None, now: float) -> str:
    head = join([
        el("meta", charset="utf-8"), el("title", f"{page.title} – gcelib"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="robots", content="noindex"), el("link", rel="icon", href=f"{BASE}/icon.svg"),
        Html(f"<style>{_STYLE}</style>"),
    ])
    live = page.live if session else 0
    body = join([
        el("a", "Skip to the content", href="#main", class_="skip"),
        _top(request, session) if session else None,
        _state(request, now) if live else None,
        el("main", page.body, id="main", tabindex=-1, data_live=f"{live:g}" if live else None),
        Html(f"<script>{_SCRIPT}</script>") if live else None,
    ])
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _top(request: Request, session: Session) -> Html:
    ways = [
        el("li", el("a", name, href=f"{BASE}{path}", aria_current="page" if _here(request.path, path) else None))
        for path, name in PAGES
    ]
    out = el("form", csrf(session), el("span", session.caller.email), el("button", "Sign out"), class_="who",
             method="post", action=f"{BASE}/sign-out")
    return el("div", el(
        "header", el("p", el("a", "gcelib", href=f"{BASE}/"), class_="brand"),
        el("nav", el("ul", ways), aria_label="Console"), out,
    ), class_="top")


def _state(request: Request, now: float) -> Html:
    """How fresh the page is; the button is the script's."""
    where = f"{request.path}?{request.query}" if request.query else request.path
    return el("aside", el(
        "p", el("span", f"As of {_clock(now)} UTC.", id="state"), el("a", "Look again", href=where, id="again"),
        el("button", "Pause", type="button", id="pause", hidden=True),
        el("span", id="news", role="status", class_="unseen"),
        class_="state",
    ), aria_label="How fresh this is")


def _here(path: str, page: str) -> bool:
    rest = path.removeprefix(BASE)
    return rest == page or (page != "/" and rest.startswith(f"{page}/"))


def _clock(now: float) -> str:
    return f"{datetime.datetime.fromtimestamp(now, datetime.UTC):%H:%M:%S}"
