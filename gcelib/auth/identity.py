"""Turns a bearer token into the caller it stands for: one we issued, or one that a service account signed."""

from __future__ import annotations

from collections.abc import Callable

from gcelib.auth import assertions
from gcelib.auth.bearer import Known
from gcelib.auth.caller import Caller
from gcelib.auth.callers import Callers
from gcelib.auth.digests import digest
from gcelib.store import AccountRows, Token, TokenRows


class Identity:
    """Looks tokens up in the store, whatever they are."""

    def __init__(
        self, accounts: AccountRows, tokens: TokenRows, callers: Callers | None, clock: Callable[[], float]
    ) -> None:
        self._accounts = accounts
        self._callers = callers
        self._tokens = tokens
        self._clock = clock

    def of(self, text: str, base_url: str) -> Known | None:
        """The caller a token stands for; None when it is not good (any more)."""
        if text.count(".") == 2:
            return self._signed(text, base_url)
        found = self.token(text)
        if not found or found.kind != "access":
            return None
        return self._known(found.account, found.scope, found.digest, found.expires, found.credential)

    def token(self, text: str) -> Token | None:
        """A living token of ours, of any kind."""
        found = self._tokens.get(digest(text))
        if not found or found.revoked is not None or found.expires <= self._clock():
            return None
        return found

    def _signed(self, text: str, base_url: str) -> Known | None:
        try:
            statement = assertions.read(text, self._accounts, self._clock())
        except assertions.BadAssertion:
            return None
        if not assertions.is_for_api(statement, base_url):
            return None
        until = statement.expires + assertions.LEEWAY
        return self._known(statement.email, statement.scope, statement.digest, until, proof="signed by its key")

    def _known(
        self, email: str, scope: str, token_digest: str, expires: float, credential: str = "",
        proof: str = "access token",
    ) -> Known | None:
        account = self._accounts.get(email)
        if not account or account.disabled:
            return None
        keys = self._callers.keys(credential) if credential and self._callers else None
        if account.kind == "cloud" and keys is None:
            return None
        caller = Caller(
            email=account.email,
            kind=account.kind,
            roles=dict(account.roles),
            scopes=frozenset(scope.split()),
            token_id=token_digest[:16],
            proof=proof,
            keys=keys,
        )
        return Known(caller, expires)
