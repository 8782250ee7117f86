"""The endpoints that programs call: token, revoke, introspect, tokeninfo, userinfo, and what we offer."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oauthlib.oauth2.rfc6749.endpoints.introspect import IntrospectEndpoint
from oauthlib.oauth2.rfc6749.endpoints.revocation import RevocationEndpoint
from oauthlib.oauth2.rfc6749.endpoints.token import TokenEndpoint
from oauthlib.oauth2.rfc6749.errors import OAuth2Error

from gcelib.auth import messages
from gcelib.auth.bearer import Bearer
from gcelib.auth.callers import Callers
from gcelib.auth.grants import JWT_BEARER
from gcelib.auth.identity import Identity
from gcelib.errors import Unauthenticated
from gcelib.store import AccountRows
from gcelib.web import Request, Response


@dataclass(frozen=True, slots=True)
class Endpoints:
    """oauthlib's endpoints, composed of what we offer and nothing else."""

    token: TokenEndpoint
    revocation: RevocationEndpoint
    introspection: IntrospectEndpoint


class Tokens:
    """Answers what programs ask about tokens."""

    def __init__(
        self,
        endpoints: Endpoints,
        identity: Identity,
        bearer: Bearer,
        accounts: AccountRows,
        callers: Callers | None,
        clock: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._identity = identity
        self._bearer = bearer
        self._accounts = accounts
        self._callers = callers
        self._clock = clock

    def token(self, request: Request) -> Response:
        """A code, a refresh token or an assertion against an access token (RFC 6749 3.2)."""
        if request.query:
            return messages.refusal("invalid_request", "Parameters belong in the body, not in the URL.")
        return self._posted(self._endpoints.token.create_token_response, request)

    def revoke(self, request: Request) -> Response:
        """End a token and its sign-in (RFC 7009); a client of Google's may put it in the URL."""
        return self._posted(self._endpoints.revocation.create_revocation_response, request)

    def introspect(self, request: Request) -> Response:
        """What a token is (RFC 7662), for the account it belongs to and for administrators."""
        return self._posted(self._endpoints.introspection.create_introspect_response, request)

    def tokeninfo(self, request: Request) -> Response:
        """Google's older way to ask what an access token is."""
        try:
            fields = messages.once(request.params() + messages.form(request))
        except messages.BadForm as error:
            return messages.refusal("invalid_request", str(error))
        found = self._identity.token(fields.get("access_token", ""))
        if not found or found.kind != "access":
            return messages.refusal("invalid_token", "Invalid Value")
        account = self._accounts.get(found.account)
        return messages.answer(
            {
                "issued_to": found.client,
                "audience": found.client,
                "user_id": account.number if account else "",
                "scope": found.scope,
                "expires_in": int(found.expires - self._clock()),
                "email": found.account,
                "verified_email": True,
                "access_type": "offline",
            }
        )

    def userinfo(self, request: Request) -> Response:
        """Who the bearer is, as Google says it."""
        try:
            caller = self._bearer.caller(request)
        except Unauthenticated as fault:
            entry = {"message": fault.message, "domain": "global", "reason": fault.reason}
            error = {"code": fault.status, "message": fault.message, "errors": [entry]}
            return messages.answer({"error": error}, fault.status, fault.headers)
        account = self._accounts.get(caller.email)
        return messages.answer({"id": account.number if account else "", "email": caller.email, "verified_email": True})

    def metadata(self, request: Request) -> Response:
        """Where everything is (RFC 8414)."""
        base = request.base_url
        own = ["client_credentials"] if self._callers and self._callers.clouds() else []
        return messages.answer(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/oauth2/auth",
                "token_endpoint": f"{base}/oauth2/token",
                "revocation_endpoint": f"{base}/oauth2/revoke",
                "introspection_endpoint": f"{base}/oauth2/introspect",
                "userinfo_endpoint": f"{base}/oauth2/v2/userinfo",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token", JWT_BEARER, *own],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [
                    "none",
                    "client_secret_post",
                    "client_secret_basic",
                ],
                "revocation_endpoint_auth_methods_supported": ["none"],
                "introspection_endpoint_auth_methods_supported": ["Bearer"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def _posted(self, endpoint: Callable[..., tuple[Mapping[str, str], Any, int]], request: Request) -> Response:
        try:
            fields = messages.once(request.params() + messages.form(request))
            return messages.from_oauthlib(endpoint(**messages.to_oauthlib(request, request.path, fields)))
        except messages.BadForm as error:
            return messages.refusal("invalid_request", str(error))
        except OAuth2Error as error:
            return messages.from_oauthlib((error.headers, error.json, error.status_code))
