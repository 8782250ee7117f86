"""Everything the server needs of auth: who asks, and the pages and endpoints where tokens come from."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import jwt
from oauthlib.oauth2.rfc6749.endpoints.authorization import AuthorizationEndpoint
from oauthlib.oauth2.rfc6749.endpoints.introspect import IntrospectEndpoint
from oauthlib.oauth2.rfc6749.endpoints.resource import ResourceEndpoint
from oauthlib.oauth2.rfc6749.endpoints.revocation import RevocationEndpoint
from oauthlib.oauth2.rfc6749.endpoints.token import TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types.refresh_token import RefreshTokenGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from gcelib.auth import digests, messages
from gcelib.auth.authorize import Authorize
from gcelib.auth.bearer import Bearer
from gcelib.auth.caller import Caller
from gcelib.auth.callers import Callers, Verify
from gcelib.auth.grants import JWT_BEARER, JwtBearerGrant, OwnKeysGrant, StrictCodeGrant
from gcelib.auth.identity import Identity
from gcelib.auth.seal import Seal
from gcelib.auth.sealed_codes import SealedCodes
from gcelib.auth.sessions import Sessions
from gcelib.auth.signin import SignIn
from gcelib.auth.tokens import Endpoints, Tokens
from gcelib.auth.uses import Uses
from gcelib.auth.validator import ACCESS_SECONDS, Validator
from gcelib.auth.vault import PURPOSE, Vault
from gcelib.config.keys import Keys
from gcelib.errors import Fault, Unauthenticated
from gcelib.store import AccountRows, Store, TokenRows
from gcelib.web import Request, Response

_PURGE_SECONDS = 600.0
Path = tuple[tuple[str, ...], Callable[[Request], Response]]
"""The methods of a path, and what answers them."""


class Gate:
    """The way in.

    `secret` is the seal key; what is signed here – login forms, id tokens – is signed with keys derived
    from it, so that replicas sharing store and seal key are one server. `reread` gives the seal key as it is
    now. `clouds` names the clouds that callers bring their own keys to, `verify` proves such keys. `sessions` is the
    way in to the console, `uses` knows when accounts were last used.
    """

    def __init__(
        self,
        store: Store,
        *,
        secret: bytes,
        clock: Callable[[], float] = time.time,
        reread: Callable[[], bytes] | None = None,
        verify: Verify | None = None,
        clouds: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._clock = clock
        load = reread or (lambda: secret)
        self._vault = Vault(store, Seal(load, PURPOSE), clock)
        self._callers = Callers(store, self._vault, verify, clouds, clock) if verify else None
        codes = SealedCodes(Seal(load, "codes"))
        self._id_key = digests.derive(secret, "id tokens")
        self._rows = TokenRows(store)
        accounts = AccountRows(store)
        identity = Identity(accounts, self._rows, self._callers, clock)
        validator = Validator(accounts, self._rows, identity, codes, self._callers, clock)
        handler = BearerToken(validator, lambda _request: digests.token(), ACCESS_SECONDS)
        self._bearer = Bearer(ResourceEndpoint("Bearer", {"Bearer": handler}), clock)
        code = StrictCodeGrant(validator)
        endpoints = self._endpoints(validator, handler, code)
        tokens = Tokens(endpoints, identity, self._bearer, accounts, self._callers, clock)
        self.uses = Uses(accounts, clock)
        signin = SignIn(accounts, clock)
        self.sessions = Sessions(accounts, signin, self.uses, digests.derive(secret, "console"), clock)
        key = digests.derive(secret, "login forms")
        authorization = AuthorizationEndpoint("code", handler, {"code": code})
        authorize = Authorize(authorization, signin, self._callers, codes, key, clock)
        self._routes = self._paths(authorize, tokens)
        self._purged = clock()
        self._lock = threading.Lock()

    @staticmethod
    def _paths(authorize: Authorize, tokens: Tokens) -> dict[str, Path]:
        """What is answered where, and to which methods."""
        return {
            "/oauth2/auth": (("GET", "POST"), authorize.serve),
            "/oauth2/token": (("POST",), tokens.token),
            "/token": (("POST",), tokens.token),
            "/oauth2/revoke": (("GET", "POST"), tokens.revoke),
            "/oauth2/introspect": (("POST",), tokens.introspect),
            "/oauth2/v1/tokeninfo": (("GET", "POST"), tokens.tokeninfo),
            "/oauth2/v2/userinfo": (("GET",), tokens.userinfo),
            "/.well-known/oauth-authorization-server": (("GET",), tokens.metadata),
        }

    def _endpoints(self, validator: Validator, handler: BearerToken, code: StrictCodeGrant) -> Endpoints:
        refresh = RefreshTokenGrant(validator)
        for grant in (code, refresh):
            grant.register_token_modifier(self._with_id_token)
        granted = {
            "authorization_code": code,
            "refresh_token": refresh,
            "client_credentials": OwnKeysGrant(validator),
            JWT_BEARER: JwtBearerGrant(validator),
        }
        return Endpoints(
            token=TokenEndpoint("authorization_code", handler, granted),
            revocation=RevocationEndpoint(validator),
            introspection=IntrospectEndpoint(validator),
        )

    def caller(self, request: Request) -> Caller:
        """Who sent this request.

        Raises Unauthenticated, with reason `required` when there is no token and `authError` when it is
        not good, and a WWW-Authenticate header in both cases; Unavailable when the store is.
        """
        caller = self._bearer.caller(request)
        self.uses.note(caller.email)
        return caller

    def keys_of(self, cloud: str, account: str) -> Sequence[Keys]:
        """The keys that callers signed in with as this account of a cloud, the last used first."""
        return self._vault.keys_of(cloud, account)

    def refused(self, keys: Keys) -> Unauthenticated:
        """A cloud takes these keys no longer: end what stands for them. What to tell their caller."""
        self._vault.refuse(keys.id)
        self._bearer.forget()
        return self._bearer.invalid(
            f"Cloud '{keys.cloud}' no longer accepts the keys that were given at the sign-in. Sign in again."
        )

    def serve(self, request: Request) -> Response | None:
        """The answer when the path is one of auth's, complete in every case; None when it is not."""
        route = self._routes.get(request.path)
        if not route:
            return None
        methods, handle = route
        if request.method not in methods:
            allowed = ", ".join(methods)
            refused = {"error": "invalid_request", "error_description": f"This URL takes {allowed}."}
            return messages.answer(refused, 405, {"Allow": allowed})
        try:
            self._purge()
            return handle(request)
        except Fault as fault:
            return messages.unavailable(fault)

    def _purge(self) -> None:
        now = self._clock()
        with self._lock:
            if 0 <= now - self._purged < _PURGE_SECONDS:
                return
            self._purged = now
        self._rows.purge(now)
        self._vault.purge()

    def _with_id_token(self, token: dict[str, Any], _handler: object, request: Any) -> dict[str, Any]:
        # gcloud will not sign in without one, and reads the e-mail from it; nobody checks the signature.
        now = int(self._clock())
        claims = {
            "iss": request.headers["Base"],
            "sub": request.user,
            "aud": request.client_id,
            "email": request.user,
            "email_verified": True,
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
        token["id_token"] = jwt.encode(claims, self._id_key, algorithm="HS256")
        return token
