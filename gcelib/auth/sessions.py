"""Who is signed in to the console: a password begins a session; time, sign-out, or the end of the account ends it."""

from __future__ import annotations

import hashlib
import hmac
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from gcelib.auth import audit, digests
from gcelib.auth.caller import Caller
from gcelib.auth.signin import SignIn
from gcelib.auth.uses import Uses
from gcelib.errors import Unavailable
from gcelib.store import Account, AccountRows

LIFETIME = 8 * 3600.0
"""Seconds that a session lasts, whatever is done in it."""
BLIND = 600.0
"""Seconds that somebody stays signed in while the store does not tell whether the account is still good."""
LOOKED = 1.0
"""Seconds between two looks at the account: a role taken away works that much longer."""
WAIT = 15.0
"""Seconds after which a store that did not tell is asked again: it may take long to say that it does not answer."""
MOST, MOST_OF_ONE = 256, 8
"""Sessions at once, of all accounts and of one; the oldest gives way."""
_FORM_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in. `csrf` is what its forms must bring along; `expires` in epoch seconds."""

    caller: Caller
    csrf: str
    expires: float


@dataclass(slots=True)
class _Entry:
    session: Session
    password: str
    looked: float
    missed: float = -math.inf


class Sessions:
    """Kept in memory: they end with the process. `key` signs forms that come before there is a session."""

    def __init__(
        self, accounts: AccountRows, signin: SignIn, uses: Uses, key: bytes, clock: Callable[[], float]
    ) -> None:
        self._accounts = accounts
        self._signin = signin
        self._uses = uses
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def begin(self, user: str, password: str, remote: str) -> str | None:
        """The secret of a new session, for its cookie; None for a wrong pair. Raises TooMany, Unavailable."""
        account = self._signin.check(user, password, remote)
        if account is None:
            return None
        now = self._clock()
        secret = digests.token()
        session = Session(_caller(account), digests.token(), now + LIFETIME)
        with self._lock:
            mine = [key for key, each in self._entries.items() if each.session.caller.email == account.email]
            for key in mine[: max(0, len(mine) - MOST_OF_ONE + 1)]:
                del self._entries[key]
            while len(self._entries) >= MOST:
                self._entries.popitem(last=False)
            self._entries[digests.digest(secret)] = _Entry(session, account.password, now)
        self._uses.note(account.email)
        return secret

    def of(self, secret: str) -> Session | None:
        """The session of a cookie, with the roles that the account has now; None when it is over.

        Raises Unavailable when the store has not told of the account for too long.
        """
        key = digests.digest(secret)
        with self._lock:
            entry = self._entries.get(key)
        now = self._clock()
        if entry is None or not self._good(entry, now):
            self._drop(key)
            return None
        self._uses.note(entry.session.caller.email)
        audit.note(who=entry.session.caller.email, proof="session")
        return entry.session

    def end(self, secret: str) -> None:
        """Sign out."""
        self._drop(digests.digest(secret))

    def form(self) -> str:
        """What a sign-in form carries to show that it is ours, and not old."""
        shown = int(self._clock())
        return f"{shown}.{self._signed(shown)}"

    def is_ours(self, form: str) -> bool:
        """Whether a form with this came from here within the hour."""
        shown = form.partition(".")[0]
        if not (shown.isascii() and shown.isdigit() and len(shown) < 16):
            return False
        fresh = 0 <= self._clock() - int(shown) <= _FORM_SECONDS
        return fresh and hmac.compare_digest(form.encode(), f"{shown}.{self._signed(int(shown))}".encode())

    def _good(self, entry: _Entry, now: float) -> bool:
        if now >= entry.session.expires:
            return False
        if 0 <= now - entry.looked < LOOKED or (0 <= now - entry.missed < WAIT and now - entry.looked <= BLIND):
            return True
        email = entry.session.caller.email
        try:
            account = self._accounts.get(email)
        except Unavailable:
            # Whoever is here to find out what ails the store must not be shown the door.
            entry.missed = now
            if now - entry.looked > BLIND:
                raise
            return True
        if account is None or account.disabled or account.password != entry.password:
            return False
        entry.session, entry.looked = replace(entry.session, caller=_caller(account)), now
        return True

    def _drop(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def _signed(self, shown: int) -> str:
        return hmac.new(self._key, f"console {shown}".encode(), hashlib.sha256).hexdigest()


def _caller(account: Account) -> Caller:
    return Caller(account.email, account.kind, dict(account.roles), frozenset(), "", "session")
