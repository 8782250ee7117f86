"""The Authorization header, and whose token is in it."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from oauthlib.oauth2.rfc6749.endpoints.resource import ResourceEndpoint

from gcelib.auth.caller import Caller
from gcelib.errors import Unauthenticated
from gcelib.web import Request

REMEMBERED_SECONDS = 0.5
"""For how long a token is not looked up again: a token taken away works that much longer."""

_REMEMBERED = 4096


class LoginRequired(Unauthenticated):
    """There was no token at all."""

    reason = "required"


@dataclass(frozen=True, slots=True)
class Known:
    """A caller and until when, by its own word, the token is good (epoch seconds)."""

    caller: Caller
    expires: float


class Bearer:
    """Finds the caller of a request, asking the store at most once in half a second for one token."""

    def __init__(self, endpoint: ResourceEndpoint, clock: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Known]] = {}
        self._lock = threading.Lock()

    def caller(self, request: Request) -> Caller:
        """Who asks. Raises LoginRequired without a token and Unauthenticated with a bad one."""
        header = request.header("authorization")
        if not header:
            raise LoginRequired("Login Required.", headers={"WWW-Authenticate": 'Bearer realm="gcelib"'})
        now = self._clock()
        key = (header, request.base_url)
        seen = self._known.get(key)
        if seen and 0 <= now - seen[0] < REMEMBERED_SECONDS and now < seen[1].expires:
            return seen[1].caller
        known = self.look(request)
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = (now, known)
        return known.caller

    @staticmethod
    def invalid(message: str) -> Unauthenticated:
        """What to answer to a token that is not good (RFC 6750 3)."""
        challenge = 'Bearer realm="gcelib", error="invalid_token"'
        return Unauthenticated(message, headers={"WWW-Authenticate": challenge})

    def forget(self) -> None:
        """Look every token up again from now on."""
        with self._lock:
            self._known.clear()

    def look(self, request: Request) -> Known:
        """Who asks, by the store as it is now. Raises Unauthenticated."""
        # The query is left out: a token in a URL ends in logs, and is not taken.
        headers = {"Authorization": request.header("authorization"), "Base": request.base_url}
        good, checked = self._endpoint.verify_request(request.base_url or "/", headers=headers)
        if not good:
            raise self.invalid("Invalid Credentials")
        known: Known = checked.known
        return known
