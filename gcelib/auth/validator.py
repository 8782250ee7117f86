"""What oauthlib asks while it walks a flow: is this code good, this token; and what to keep."""

# oauthlib has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from oauthlib.oauth2.rfc6749 import errors

from gcelib.auth import assertions, audit
from gcelib.auth.callers import Callers
from gcelib.auth.clients import DEFAULT_SCOPE, ClientRules, hidden, is_hidden
from gcelib.auth.digests import digest, token
from gcelib.auth.grants import JWT_BEARER
from gcelib.auth.identity import Identity
from gcelib.auth.sealed_codes import SealedCodes
from gcelib.store import AccountRows, Code, Token, TokenRows

ACCESS_SECONDS = 3600
CODE_SECONDS = 600
REFRESH_SECONDS = 180 * 86_400
GRACE_SECONDS = 60
"""A replaced refresh token works that much longer: its successor may have been lost on the way."""

TWIN_SECONDS = 5
"""An assertion without an id works again until so long after it was made; see `validate_assertion`."""


class Validator(ClientRules):
    """Answers for oauthlib out of the store.

    What is handed out is bound to the client id it was asked with, though that proves little.
    """

    def __init__(
        self,
        accounts: AccountRows,
        tokens: TokenRows,
        identity: Identity,
        codes: SealedCodes,
        callers: Callers | None,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(callers)
        self._codes = codes
        self._identity = identity
        self._accounts = accounts
        self._tokens = tokens
        self._clock = clock

    # Asking for a code

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Keep the code's digest with all that it is bound to."""
        self._tokens.add_code(
            Code(
                digest=digest(code["code"]),
                account=request.user,
                client=client_id,
                redirect=request.redirect_uri,
                scope=" ".join(request.scopes),
                challenge=request.code_challenge or "",
                family=token(),
                expires=self._clock() + CODE_SECONDS,
                credential=request.credential,
            )
        )

    # Code for tokens

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        """Whether the code is good for this client; using one again ends what it bought."""
        found = self._sealed(code, request) if self.is_key(client_id) else self._tokens.code(digest(code))
        if not found or found.client != client_id:
            return False
        audit.note(who=found.account, proof="code")
        if found.used is not None:
            audit.note(reason="the code was used before")
            self._tokens.revoke_family(found.family, self._clock())
            return False
        # A verifier without a challenge means that somebody took the challenge out on the way.
        if found.expires <= self._clock() or (request.code_verifier and not found.challenge):
            return False
        request.granted = found
        request.user = found.account
        request.scopes = found.scope.split()
        return True

    def _sealed(self, code: str, request: Any) -> Code | None:
        """A code got without a page, now that its client has shown the secret as well."""
        found = self._codes.read(code)
        if found is None:
            return None
        email, keys = request.keyed
        used = self._clock() if self._tokens.is_used(found.digest) else None
        return replace(found, account=email, credential=keys.id, used=used)

    def get_code_challenge(self, code: str, request: Any) -> str | None:
        """The S256 challenge, None for a client without PKCE."""
        return request.granted.challenge or None

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        """S256: no other is taken."""
        return "S256"

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any, *_: Any, **__: Any
    ) -> bool:
        """The very text the code was asked with."""
        return bool(redirect_uri == request.granted.redirect)

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *_: Any, **__: Any) -> None:
        """Nothing left to do: `save_bearer_token` used it up in the transaction that kept the tokens."""

    # Refreshing

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        """Whether it is good for this client; one replaced long ago means theft, and ends the sign-in."""
        now = self._clock()
        found = self._tokens.get(digest(refresh_token))
        if not found or found.kind == "access" or found.client != self.client_name(client.client_id):
            return False
        audit.note(who=found.account, proof="refresh token")
        if found.revoked is not None or found.expires <= now:
            return False
        if found.rotated is not None and now > found.rotated + GRACE_SECONDS:
            audit.note(reason="the refresh token was replaced long ago")
            self._tokens.revoke_family(found.family, now)
            return False
        if is_hidden(found.client) != hasattr(request, "keyed"):
            return False  # Somebody calls themselves by what a key is called here, and has not shown its secret.
        if hasattr(request, "keyed"):
            email, keys = request.keyed
            if found.account != email:
                return False
            found = replace(found, credential=keys.id)
        request.granted = found
        request.user = found.account
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        """What was asked for at the sign-in."""
        return list(request.granted.scope.split())

    def is_within_original_scope(
        self, request_scopes: list[str], refresh_token: str, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """cloud-platform holds every other scope."""
        return DEFAULT_SCOPE in request.granted.scope.split()

    def rotate_refresh_token(self, request: Any) -> bool:
        """Not for a "lasting" one."""
        return bool(request.granted.kind == "refresh")

    # Assertions

    def validate_assertion(self, text: str, request: Any) -> None:
        """Take a service account's signed request. Raises oauthlib's InvalidGrantError.

        An assertion with a `jti` is taken once. Google's libraries send none, and two programs that start
        in the same second sign the same bytes: these are taken again for a moment after they were made.
        """
        now = self._clock()
        try:
            statement = assertions.read(text, self._accounts, now)
            if not assertions.is_for_token_url(statement, request.headers["Base"]):
                raise assertions.BadAssertion("It was signed for another server (`aud`).")
            first = self._tokens.first_use(statement.digest, statement.expires + assertions.LEEWAY)
            if not first and (statement.once or now > statement.issued + TWIN_SECONDS):
                raise assertions.BadAssertion("It was used before.")
        except assertions.BadAssertion as error:
            raise errors.InvalidGrantError(description=f"The assertion is refused. {error}", request=request) from error
        audit.note(who=statement.email, proof="assertion")
        request.user = statement.email
        request.client_id = statement.email
        request.family = f"key:{statement.key_id}"
        request.scopes = statement.scope.split() or [DEFAULT_SCOPE]

    # Knowing tokens

    def validate_bearer_token(self, token: str | None, scopes: Any, request: Any) -> bool:
        """Whether the token is good; whose it is goes to `request.known`."""
        request.known = self._identity.of(token, request.headers["Base"]) if token else None
        return request.known is not None

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A caller's keys; or, of whoever introspects, a good bearer token (RFC 7662 2.1)."""
        if not request.uri.endswith("/oauth2/introspect"):
            return self.authenticate_keys(request)
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.validate_bearer_token(text.strip(), None, request)

    def introspect_token(
        self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """What the token is; None, which reads as not active, for somebody else's but to administrators."""
        asking = request.known.caller
        found = self._identity.token(token)
        if not found or (found.account != asking.email and asking.roles.get("*") != "admin"):
            return None
        return {
            "scope": found.scope,
            "client_id": found.client,
            "username": found.account,
            "sub": found.account,
            "token_type": "Bearer" if found.kind == "access" else "refresh_token",
            "iat": int(found.created),
            "exp": int(found.expires),
        }

    # Keeping tokens

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Keep the digests; the code or refresh token that bought them is used up in the same step."""
        now = self._clock()
        if request.grant_type == JWT_BEARER:
            self._tokens.add(self._row(token["access_token"], "access", request, request.family, now))
            return
        if request.grant_type == "client_credentials":
            request.user, keys = request.keyed
            row = self._row(token["access_token"], "access", request, f"key:{keys.id}", now)
            self._tokens.add(replace(row, client=hidden(keys.key), credential=keys.id))
            return
        granted = request.granted
        access = self._row(token["access_token"], "access", request, granted.family, now)
        new = [access]
        if isinstance(granted, Code):
            # gcloud and Google's libraries use PKCE, and keep the first refresh token whatever they are
            # given later; clients without PKCE are of the old library, which writes a new one down.
            kind = "lasting" if granted.challenge else "refresh"
            new.append(self._row(token["refresh_token"], kind, request, granted.family, now))
            kept = self._tokens.redeem(granted, new, now)
            if not kept:
                self._tokens.revoke_family(granted.family, now)
        else:
            if granted.kind == "refresh":
                request.scopes = granted.scope.split()
                new.append(self._row(token["refresh_token"], "refresh", request, granted.family, now))
            kept = self._tokens.renew(granted, new, expires=now + REFRESH_SECONDS, now=now)
        if not kept:
            raise errors.InvalidGrantError(request=request)

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """End a token, and with it the sign-in it came from; one of a key ends alone."""
        now = self._clock()
        found = self._tokens.get(digest(token))
        if not found:
            return
        audit.note(who=found.account, proof="refresh token" if found.kind != "access" else "access token")
        if found.family.startswith("key:"):
            self._tokens.revoke(found.digest, now)
        else:
            self._tokens.revoke_family(found.family, now)

    def _row(self, secret: str, kind: str, request: Any, family: str, now: float) -> Token:
        lifetime = ACCESS_SECONDS if kind == "access" else REFRESH_SECONDS
        return Token(
            digest=digest(secret),
            account=request.user,
            kind=kind,
            client=self.client_name(request.client_id or ""),
            scope=" ".join(request.scopes),
            family=family,
            created=now,
            expires=now + lifetime,
            credential=getattr(getattr(request, "granted", None), "credential", ""),
        )
