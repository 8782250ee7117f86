"""When accounts were last used: noted at each request in memory, written down now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gcelib.store import Account, AccountRows


class Uses:
    """Remembers uses until `flush` writes them; at most one entry for each account there is. Safe for threads."""

    def __init__(self, accounts: AccountRows, clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._flushed = clock()

    def note(self, email: str) -> None:
        """This account is used now."""
        self._seen[email] = self._clock()

    def last(self, account: Account) -> float | None:
        """When an account was last used, here or as it is written down; None for never."""
        known = [when for when in (account.used, self._seen.get(account.email)) if when is not None]
        return max(known, default=None)

    def flush(self, every: float = 0.0) -> None:
        """Write down what was noted, unless that was done within `every` seconds.

        Raises Unavailable; it is kept for the next time then.
        """
        with self._lock:
            now = self._clock()
            if not self._seen or 0 <= now - self._flushed < every:
                return
            self._flushed = now
            seen, self._seen = self._seen, {}
            try:
                self._accounts.used(seen)
            except BaseException:
                self._seen = {**seen, **self._seen}
                raise
