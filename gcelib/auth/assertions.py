"""Checks what service accounts sign with their keys: requests for a token, and tokens of their own making."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from gcelib.auth.digests import digest
from gcelib.store import AccountRows

LEEWAY = 60.0
"""How many seconds a client's clock may be off."""

LONGEST = 3600.0
"""How many seconds a signature may be good for."""

_LATEST = 1e15
"""No time in seconds is that large; neither infinity nor NaN is below it, nor an integer too large for a float."""

GOOGLE_TOKEN_URLS = frozenset(
    {
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v4/token",
        "https://www.googleapis.com/oauth2/v3/token",
        "https://accounts.google.com/o/oauth2/token",
    }
)
"""Audiences that Google's libraries write whatever the key file's token_uri says."""

_GOOGLE_COMPUTE = re.compile(r"https://(?:compute|www)\.googleapis\.com(?:/(?:compute/.*)?)?")


class BadAssertion(Exception):
    """A signed statement that proves nothing; the text says why and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a service account signed. `scope` is empty when it asked for none."""

    email: str
    key_id: str
    scope: str
    audiences: tuple[str, ...]
    issued: float
    expires: float
    digest: str
    once: bool
    """It has an id of its own (`jti`), which is never used twice."""


def read(text: str, accounts: AccountRows, now: float) -> Statement:
    """The statement, if a key of the account it names signed it and its times hold. Raises BadAssertion."""
    try:
        header = jwt.get_unverified_header(text)
        named = jwt.decode(text, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise BadAssertion("It is not a JSON Web Token.") from error
    email = str(named.get("iss", "")).lower()
    # A name that is no text a database takes (a lone surrogate, a NUL) is nobody's.
    account = accounts.get(email) if email.isprintable() else None
    usable = account is not None and account.kind == "service" and not account.disabled
    kid = str(header.get("kid", ""))
    keys = accounts.keys(email) if usable else ()
    key_id, claims = _verified(text, [(key.id, key.public) for key in keys if not kid or key.id == kid])
    issued, expires = _times(claims, now)
    subject = claims.get("sub", email)
    if str(subject).lower() != email:
        raise BadAssertion("It speaks for somebody else (`sub`); that is not offered.")
    audience = claims.get("aud") or []
    audiences = tuple(str(each) for each in (audience if isinstance(audience, list) else [audience]))
    scope = claims.get("scope", "")
    jti = claims.get("jti")
    if not f"{scope} {jti}".isprintable():
        raise BadAssertion("There are control characters in its `scope` or `jti`.")
    return Statement(
        email=email,
        key_id=key_id,
        scope=scope if isinstance(scope, str) else "",
        audiences=audiences,
        issued=issued,
        expires=expires,
        digest=digest(f"{email} {jti}" if jti else text),
        once=bool(jti),
    )


def is_for_token_url(statement: Statement, base_url: str) -> bool:
    """Whether it was signed for our token endpoint, or for Google's."""
    ours = {f"{base_url}/oauth2/token", f"{base_url}/token"}
    return any(audience in ours or audience in GOOGLE_TOKEN_URLS for audience in statement.audiences)


def is_for_api(statement: Statement, base_url: str) -> bool:
    """Whether it was signed as a bearer token for here: our URL, Google's compute host, or a scope alone.

    A request for a token is none, so that it cannot be used again as one after it bought its token.
    """
    if not statement.audiences:
        return bool(statement.scope)
    return not is_for_token_url(statement, base_url) and any(
        audience == base_url or audience.startswith(f"{base_url}/") or _GOOGLE_COMPUTE.fullmatch(audience)
        for audience in statement.audiences
    )


def _verified(text: str, candidates: Iterable[tuple[str, str]]) -> tuple[str, Mapping[str, Any]]:
    # Times are checked by `_times`, against the server's own clock; the audience by the caller.
    unchecked = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
    for key_id, public in candidates:
        try:
            return key_id, jwt.decode(text, public, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            continue
    # One answer, so that strangers do not learn which service accounts there are.
    raise BadAssertion(
        "No key of a service account here made its signature (RS256): its issuer is not one, or is disabled, or has "
        "other keys."
    )


def _times(claims: Mapping[str, Any], now: float) -> tuple[float, float]:
    issued: Any = claims.get("iat")
    expires: Any = claims.get("exp")
    since: Any = claims.get("nbf", 0)
    if not all(isinstance(each, int | float) and abs(each) < _LATEST for each in (issued, expires, since)):
        raise BadAssertion("It does not say when it was made and until when it holds (`iat`, `exp`).")
    if max(issued, since) > now + LEEWAY:
        raise BadAssertion("It was made in the future; check the clocks of both machines.")
    if expires < now - LEEWAY:
        raise BadAssertion("It has expired; check the clocks of both machines.")
    if expires > min(issued, now) + LONGEST + LEEWAY:
        raise BadAssertion("It would hold for more than an hour.")
    return float(issued), float(expires)
