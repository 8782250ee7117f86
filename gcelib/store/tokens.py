"""What was handed out: codes, access and refresh tokens, assertions already seen – as digests only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gcelib.store.engine import Store
from gcelib.store.tables import accounts, assertions, codes, tokens


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code: whose it is, for which client and redirect; `challenge` is PKCE's S256 one.

    `credential` names the caller's own keys it stands for, "" for an account of ours.
    """

    digest: str
    account: str
    client: str
    redirect: str
    scope: str
    challenge: str
    family: str
    expires: float
    used: float | None = None
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A token. `kind`: "access"; "refresh", replaced at each use; or "lasting", a refresh token that stays.

    Tokens that come from one sign-in share a `family`. `credential` names the caller's own keys behind it.
    """

    digest: str
    account: str
    kind: str
    client: str
    scope: str
    family: str
    created: float
    expires: float
    rotated: float | None = None
    revoked: float | None = None
    credential: str = ""


class TokenRows:
    """Codes and tokens in the store. Every change that must happen once is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_code(self, code: Code) -> None:
        """Keep a new code."""
        with self._store.write() as connection:
            connection.execute(insert(codes).values(**_values(code)))

    def code(self, digest: str) -> Code | None:
        """The code, used or not."""
        with self._store.read() as connection:
            row = connection.execute(select(codes).where(codes.c.digest == digest)).mappings().first()
        return Code(**row) if row else None

    def redeem(self, code: Code, new: Sequence[Token], now: float) -> bool:
        """Use up a code and keep the tokens it bought; False, and nothing kept, when it was used before.

        A code that was never stored, because it carries what it is for, is remembered as used instead.
        """
        try:
            with self._store.write() as connection:
                fresh = (codes.c.digest == code.digest) & codes.c.used.is_(None) & (codes.c.expires > now)
                if not connection.execute(update(codes).where(fresh).values(used=now)).rowcount:
                    if connection.execute(select(codes.c.digest).where(codes.c.digest == code.digest)).first():
                        return False
                    connection.execute(insert(assertions).values(digest=code.digest, expires=code.expires))
                self._add(connection, new)
                return True
        except IntegrityError:
            return False

    def is_used(self, digest: str) -> bool:
        """Whether a code that carries what it is for, or an assertion, was used before."""
        with self._store.read() as connection:
            return connection.execute(select(assertions).where(assertions.c.digest == digest)).first() is not None

    def add(self, *new: Token) -> None:
        """Keep new tokens."""
        with self._store.write() as connection:
            self._add(connection, new)

    def get(self, digest: str) -> Token | None:
        """The token, whatever its state; None also when its account is shut out."""
        with self._store.read() as connection:
            row = (
                connection.execute(
                    select(tokens)
                    .join(accounts, accounts.c.email == tokens.c.account)
                    .where(tokens.c.digest == digest, accounts.c.disabled.is_(False))
                )
                .mappings()
                .first()
            )
        return Token(**row) if row else None

    def renew(self, old: Token, new: Sequence[Token], *, expires: float, now: float) -> bool:
        """Keep the tokens that refresh token `old` bought; False, and nothing kept, when it was revoked.

        A "refresh" token counts as replaced from now on, a "lasting" one lives until `expires`.
        """
        with self._store.write() as connection:
            alive = (tokens.c.digest == old.digest) & tokens.c.revoked.is_(None)
            change: dict[str, float] = {"expires": expires}
            if old.kind == "refresh":
                change = {"rotated": now if old.rotated is None else old.rotated}
            if not connection.execute(update(tokens).where(alive).values(change)).rowcount:
                return False
            self._add(connection, new)
            return True

    def revoke(self, digest: str, now: float) -> None:
        """End one token."""
        with self._store.write() as connection:
            connection.execute(update(tokens).where(tokens.c.digest == digest).values(revoked=now))

    def revoke_family(self, family: str, now: float) -> None:
        """End every token of one sign-in."""
        with self._store.write() as connection:
            mine = (tokens.c.family == family) & tokens.c.revoked.is_(None)
            connection.execute(update(tokens).where(mine).values(revoked=now))

    def first_use(self, digest: str, expires: float) -> bool:
        """Remember an assertion until it expires; False when it was remembered already."""
        try:
            with self._store.write() as connection:
                connection.execute(insert(assertions).values(digest=digest, expires=expires))
        except IntegrityError:
            return False
        return True

    def purge(self, now: float) -> None:
        """Forget what has expired."""
        with self._store.write() as connection:
            for table in (codes, tokens, assertions):
                connection.execute(delete(table).where(table.c.expires < now - 60))

    @staticmethod
    def _add(connection: Connection, new: Sequence[Token]) -> None:
        for token in new:
            connection.execute(insert(tokens).values(**_values(token)))


def _values(row: Code | Token) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).__dataclass_fields__}
