"""Slows those who guess passwords or keys, and leaves the rightful owner in peace."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable

from gcelib.auth import audit
from gcelib.errors import TooMany, Unavailable
from gcelib.store import AccountRows

FREE_TRIES = 5
"""Wrong ones in a row of one account from one source, before the next has to wait."""
FREE_OF_SOURCE = 30
"""Wrong ones from one source, whatever the accounts."""
FREE_OF_ACCOUNT = 50
"""Wrong ones of one account, whatever the sources; of each only its first FREE_TRIES count."""
LONGEST_WAIT = 60.0
UNWRITTEN = 4096
"""Counts that are kept in memory while the store takes none; the oldest gives way."""


class Guessing:
    """Counts what was wrong, by account, by source and by both.

    Each count over its free tries doubles the wait after the last one, up to LONGEST_WAIT seconds, and is
    forgotten after a day without one. `account` is any text that names whom somebody claims to be, whether
    there is such a one or not. A source where an account was right before waits only for what was wrong of
    that account there: strangers elsewhere, however many, do not keep its owner out.

    While the store can be read and takes no changes, as on a full disk, this process counts in memory, and whoever is
    right comes in: it may be the one who makes room.
    """

    def __init__(self, rows: AccountRows, clock: Callable[[], float]) -> None:
        self._rows = rows
        self._clock = clock
        self._lock = threading.Lock()
        self._unwritten: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, account: str, remote: str) -> None:
        """Nothing, when this may be tried now. Raises TooMany with the seconds to wait."""
        source = source_of(remote)
        left = self._left(_both(account, source), FREE_TRIES)
        if not self._rows.trusted(_both(account, source), self._clock()):
            left = max(left, self._left(account, FREE_OF_ACCOUNT), self._left(f"from {source}", FREE_OF_SOURCE))
        if left > 0:
            seconds = int(left) + 1
            audit.note(reason="too many wrong before")
            raise TooMany(f"Too many wrong passwords or keys. Try again in {seconds} s.", retry_after=seconds)

    def wrong(self, account: str, remote: str) -> None:
        """Count a wrong one."""
        audit.note(reason="wrong password or key")
        now, source = self._clock(), source_of(remote)
        self._count(_both(account, source), now)
        self._count(f"from {source}", now)
        if self._failures(_both(account, source))[0] <= FREE_TRIES:
            self._count(account, now)

    def right(self, account: str, remote: str) -> None:
        """This account was right from this source, which is known for it from now on."""
        both = _both(account, source_of(remote))
        with self._lock:
            self._unwritten.pop(both, None)
        try:
            self._rows.succeeded(both)
            self._rows.trust(both, self._clock())
        except Unavailable:
            # What was counted before stays, and the store has told its own log why.
            audit.note(reason="right, which could not be stored")

    def _left(self, subject: str, free: int) -> float:
        count, last = self._failures(subject)
        if count < free:
            return 0.0
        wait = min(2.0 ** min(count - free, 16), LONGEST_WAIT)
        left = last + wait - self._clock()
        # What lies far ahead was counted before the clock was set back, which must keep nobody out for all that time.
        return min(left, wait) if left <= wait + LONGEST_WAIT else 0.0

    def _count(self, subject: str, now: float) -> None:
        try:
            self._rows.failed(subject, now)
        except Unavailable:
            with self._lock:
                count, _ = self._unwritten.pop(subject, (0, 0.0))
                self._unwritten[subject] = (count + 1, now)
                while len(self._unwritten) > UNWRITTEN:
                    self._unwritten.popitem(last=False)

    def _failures(self, subject: str) -> tuple[int, float]:
        """How many there were, and when the last was."""
        count, last = self._rows.failures(subject)
        with self._lock:
            more, later = self._unwritten.get(subject, (0, 0.0))
        if later < self._clock() - 86_400:
            return count, last
        return count + more, max(last, later)


def source_of(remote: str) -> str:
    """Where a request came from: an address, or a network of IPv6 such as one customer has."""
    try:
        address = ipaddress.ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _both(account: str, source: str) -> str:
    return f"{account} from {source}"
