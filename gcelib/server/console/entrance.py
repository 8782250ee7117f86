"""The way in and out: the sign-in page, the cookie, and what a form must bring along."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from gcelib.auth import audit, messages
from gcelib.auth.sessions import Session, Sessions
from gcelib.config import ServerConfig
from gcelib.config.options import INSECURE_WORDS
from gcelib.errors import Forbidden, TooMany, Unavailable
from gcelib.server.console.frame import BASE, Page, seen_elsewhere, write
from gcelib.server.console.markup import el, join
from gcelib.web import Request, Response

COOKIE = "gcelib_console"
_PORT = re.compile(r":([0-9]+)$")
_OURS = re.compile(rf"{BASE}/[A-Za-z0-9/_.?=&%-]*")


@dataclass(frozen=True, slots=True)
class Entrance:
    """Knows who is at the door."""

    sessions: Sessions
    server: Callable[[], ServerConfig]
    clock: Callable[[], float]

    def session(self, request: Request) -> Session | None:
        """Who is signed in with this browser. Raises Unavailable when that cannot be found out."""
        secret = _secret(request)
        return self.sessions.of(secret) if secret else None

    def sign_in(self, request: Request) -> Response:
        """The page for a GET; for a POST the way on, or the page again with what was wrong."""
        if not self._private(request):
            return self._exposed(request)
        if request.method != "POST":
            return self._form(request, _where(dict(request.params()).get("to", "")))
        try:
            sent = messages.once(messages.form(request))
        except messages.BadForm as error:
            return self._form(request, "", problem=str(error), status=400)
        to, user = _where(sent.get("to", "")), sent.get("user", "")
        if foreign(request) or not self.sessions.is_ours(sent.get("csrf", "")):
            return self._form(request, to, user, "This page was open for too long. Please sign in again.", 403)
        try:
            secret = self.sessions.begin(user, sent.get("password", ""), request.remote)
        except (TooMany, Unavailable) as fault:
            return self._form(request, to, user, fault.message, fault.status)
        if secret is None:
            return self._form(request, to, user, "The user or the password is wrong.", 401)
        return seen_elsewhere(to, {"Set-Cookie": self._cookie(request, secret)})

    def sign_out(self, request: Request) -> Response:
        """End the session."""
        self.sessions.end(_secret(request))
        return seen_elsewhere(f"{BASE}/sign-in", {"Set-Cookie": self._cookie(request, "")})

    def ended(self, request: Request) -> Response:
        """What somebody sees who sent a form after the session's end: the sign-in page, and how to go on."""
        way, _, deed = request.path.rpartition("/")
        if deed == "sign-out":
            return seen_elsewhere(f"{BASE}/sign-in")
        if not self._private(request):
            return self._exposed(request)
        return self._form(request, _where(way), problem="Your session has ended, and nothing was done. Please sign in, "
                          "and ask for it again.", status=401)

    def _cookie(self, request: Request, secret: str) -> str:
        """Set-Cookie: for no script, no other site, and no path but ours. It ends with the browser, or before."""
        parts = [f"{_cookie_name(request)}={secret}", f"Path={BASE}", "HttpOnly", "SameSite=Strict"]
        if request.base_url.startswith("https:"):
            parts.append("Secure")
        return "; ".join(parts if secret else [*parts, "Max-Age=0"])

    def _private(self, request: Request) -> bool:
        """Whether nobody on the way can read what is typed: TLS ends before us, or the way is inside one machine."""
        if request.base_url.startswith("https:") or self.server().insecure_listen == INSECURE_WORDS:
            return True
        return _loopback(request.remote)

    def _exposed(self, request: Request) -> Response:
        body = el("div", [
            el("h1", "Not over this way"),
            el("p", "The console asks for a password, and this page came over plain HTTP from another machine: anybody "
                    "on the way could read it."),
            el("p", "Go through a tunnel, ", el("code", f"ssh -L 5001:{self.server().admin_listen} HOST"),
               ", or put a proxy that ends TLS before admin_listen and name it in trusted_proxies."),
        ], class_="card enter")
        return write(Page("Not over this way", body, status=403), request, None, self.clock())

    def _form(
        self, request: Request, to: str, user: str = "", problem: str = "", status: int = 200
    ) -> Response:
        said = {"aria_describedby": "problem"} if problem else {}
        if status == 401 and user:
            said["aria_invalid"] = "true"
        body = el("div", [
            el("h1", "Sign in to gcelib's console"),
            el("p", problem, class_="alert wrong", role="alert", id="problem") if problem else None,
            el("form", [
                el("input", type="hidden", name="csrf", value=self.sessions.form()),
                el("input", type="hidden", name="to", value=to or f"{BASE}/"),
                el("label", "User", for_="user"),
                el("input", id="user", name="user", value=user, autocomplete="username", autocapitalize="none",
                   spellcheck="false", required=True, autofocus=not user, **said),
                el("label", "Password", for_="password"),
                el("input", id="password", name="password", type="password", autocomplete="current-password",
                   required=True, autofocus=bool(user), **said),
                el("button", "Sign in", class_="main"),
            ], method="post", action=f"{BASE}/sign-in", accept_charset="utf-8"),
            el("p", "With a person's account, as clients' login page takes it. ",
               el("code", "gcelib account create-user"), " makes one.", class_="quiet"),
        ], class_="card enter")
        title = "Sign in"
        page = Page(f"Not signed in: {title}" if problem else title, join([body]), status=status)
        return write(page, request, None, self.clock())


def posted(request: Request, session: Session) -> dict[str, str]:
    """The fields of a form that a page of this session sent. Raises Forbidden for any other."""
    try:
        sent = messages.once(messages.form(request))
    except messages.BadForm as error:
        raise Forbidden(str(error)) from None
    if foreign(request) or not hmac.compare_digest(sent.get("csrf", "").encode(), session.csrf.encode()):
        audit.note(reason="not from a page of this session")
        raise Forbidden("This did not come from a page of your session. Go back, look again, and repeat it.")
    return sent


def foreign(request: Request) -> bool:
    """Whether the browser says that another site sends this."""
    return request.header("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _secret(request: Request) -> str:
    # The standard library reads none when one of them is odd, and others on this machine set what they like.
    pairs = (each.strip().partition("=") for each in request.header("cookie").split(";"))
    wanted = _cookie_name(request)
    return next((value for name, _, value in pairs if name == wanted), "")


def _cookie_name(request: Request) -> str:
    """Browsers send a host's cookies to all of its ports: replicas on one machine each have their own."""
    port = _PORT.search(request.base_url)
    return f"{COOKIE}_{port[1]}" if port else COOKIE


def _where(path: str) -> str:
    return path if _OURS.fullmatch(path) else f"{BASE}/"


def _loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
