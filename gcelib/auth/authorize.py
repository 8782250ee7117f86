"""/oauth2/auth: shows the login page, checks it, and sends the code where it may go."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from oauthlib.oauth2.rfc6749.endpoints.authorization import AuthorizationEndpoint
from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error

from gcelib.auth import messages, pages, redirects
from gcelib.auth.callers import Callers
from gcelib.auth.sealed_codes import SealedCodes
from gcelib.auth.signin import SignIn
from gcelib.auth.validator import CODE_SECONDS
from gcelib.errors import Fault, TooMany, Unavailable
from gcelib.web import Request, Response

_CARRIED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
"""Parameters of an authorization request that mean something here; others are dropped, as RFC 6749 says."""

_FORM_SECONDS = 3600


class Authorize:
    """The authorization endpoint (RFC 6749 3.1) behind a login page.

    There are no sessions and no cookies: every code takes a password, or a caller's own keys to a cloud. The
    form carries a signature over its own fields and its time, so that only a page of ours, shown for this very
    request, can be sent.
    """

    def __init__(
        self,
        endpoint: AuthorizationEndpoint,
        signin: SignIn,
        callers: Callers | None,
        codes: SealedCodes,
        key: bytes,
        clock: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._signin = signin
        self._callers = callers
        self._codes = codes
        self._key = key
        self._clock = clock

    def serve(self, request: Request) -> Response:
        """The page for a GET, what follows from it for a POST."""
        try:
            asked = messages.once(request.params())
            sent = messages.once(messages.form(request)) if request.method == "POST" else {}
        except messages.BadForm as error:
            return pages.problem(str(error))
        fields = {name: value for name, value in {**asked, **sent}.items() if name in _CARRIED}
        uri = f"{request.base_url}/oauth2/auth?{urlencode(fields)}"
        try:
            scopes, _ = self._endpoint.validate_authorization_request(uri)
            if self._callers and self._callers.is_key(fields["client_id"]):
                return self._unseen(request, fields, scopes)
            if request.method == "POST":
                return self._submitted(request, uri, fields, sent)
            return self._form(request, fields)
        except OAuth2Error as error:
            return _refused(error, request.base_url)
        except Fault as fault:
            headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
            return pages.problem(fault.message, fault.status, headers)

    def _unseen(self, request: Request, fields: Mapping[str, str], scopes: list[str]) -> Response:
        """A code at once, for a client that names itself by a caller's key: it is nothing without the secret."""
        code = self._codes.make(fields, scopes, self._clock() + CODE_SECONDS)
        if fields["redirect_uri"] in redirects.SHOWN:
            return pages.code(code)
        told = {"code": code, **{name: fields[name] for name in ("state",) if name in fields}}
        return _sent_on(redirects.joined(fields["redirect_uri"], told), 302, request.base_url)

    def _submitted(self, request: Request, uri: str, fields: Mapping[str, str], sent: Mapping[str, str]) -> Response:
        typed = pages.Typed(**{name: sent.get(name, "") for name in ("user", "key", "cloud")})
        elsewhere = request.header("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if elsewhere or not self._is_ours(sent.get("csrf", ""), fields):
            return self._form(request, fields, "This page was open for too long. Please sign in again.", 403, typed)
        try:
            found = self._identified(request, sent)
        except (TooMany, Unavailable) as fault:
            waiting = {"Retry-After": str(fault.retry_after)}
            return self._form(request, fields, fault.message, fault.status, typed, waiting)
        if not found:
            header = {"WWW-Authenticate": 'Bearer realm="gcelib"'}
            wrong = "The key or the secret is wrong." if typed.key else "The user or the password is wrong."
            return self._form(request, fields, wrong, 401, typed, header)
        headers, _, status = self._endpoint.create_authorization_response(uri, credentials=found)
        location = headers["Location"]
        if fields["redirect_uri"] in redirects.SHOWN:
            return pages.code(parse_qs(urlsplit(location).query)["code"][0])
        return _sent_on(location, status, request.base_url)

    def _identified(self, request: Request, sent: Mapping[str, str]) -> dict[str, str] | None:
        """Whose password or keys were sent: the account, and the keys' id. Raises TooMany, Unavailable."""
        if self._callers and "key" in sent:
            clouds = self._callers.clouds()
            cloud = sent.get("cloud", clouds[0] if len(clouds) == 1 else "")
            # Some paste white space along.
            key, secret = sent["key"].strip(), sent.get("secret", "").strip()
            proved = self._callers.check(key, secret, request.remote, cloud)
            return {"user": proved[0], "credential": proved[1].id} if proved else None
        account = self._signin.check(sent.get("user", ""), sent.get("password", ""), request.remote)
        return {"user": account.email, "credential": ""} if account else None

    def _form(
        self,
        request: Request,
        fields: Mapping[str, str],
        problem: str = "",
        status: int = 200,
        typed: pages.Typed = pages.NOTHING,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        redirect = fields["redirect_uri"]
        shown = redirect in redirects.SHOWN
        denied = {"error": "access_denied", **{k: fields[k] for k in ("state",) if k in fields}}
        cancel = "" if shown else redirects.with_issuer(redirects.joined(redirect, denied), request.base_url)
        return pages.login(
            {**fields, "csrf": self._signed(fields, int(self._clock()))},
            client=fields["client_id"],
            destination="You will get a code to give to it." if shown else f"You will be sent to {redirect}.",
            cancel=cancel,
            typed=typed,
            clouds=self._callers.clouds() if self._callers else (),
            problem=problem,
            status=status,
            form_origin=redirects.origin(redirect),
            headers=headers,
        )

    def _signed(self, fields: Mapping[str, str], shown: int) -> str:
        text = f"{shown} {urlencode(sorted(fields.items()))}"
        return f"{shown}.{hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()}"

    def _is_ours(self, signature: str, fields: Mapping[str, str]) -> bool:
        shown = signature.partition(".")[0]
        if not (shown.isascii() and shown.isdigit() and len(shown) < 16):
            return False
        fresh = 0 <= self._clock() - int(shown) <= _FORM_SECONDS
        return fresh and hmac.compare_digest(signature.encode(), self._signed(fields, int(shown)).encode())


def _refused(error: Any, issuer: str) -> Response:
    """Tell the client, if it is known to be where it says; else only the person in front of the page."""
    redirect = getattr(error, "redirect_uri", None) or ""
    fatal = isinstance(error, FatalClientError)
    if not fatal and redirects.is_allowed(redirect) and redirect not in redirects.SHOWN:
        return _sent_on(error.in_uri(redirect), 302, issuer)
    return pages.problem(f"{error.description or 'The request is not one we can answer'} ({error.error})")


def _sent_on(location: str, status: int, issuer: str) -> Response:
    headers = {
        "Location": redirects.with_issuer(location, issuer), "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer", "Content-Type": "text/plain; charset=utf-8",
    }  # fmt: skip
    return Response(status, headers, b"")
