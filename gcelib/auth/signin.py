"""Checks a person's name and password, slower the more often they were wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gcelib.auth import passwords
from gcelib.errors import TooMany
from gcelib.store import Account, AccountRows

_LOG = logging.getLogger("gcelib.auth")

FREE_TRIES = 5
LONGEST_WAIT = 60.0


class SignIn:
    """Names and passwords against the accounts of people; service accounts cannot come in here."""

    def __init__(self, accounts: AccountRows, clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._clock = clock

    def check(self, user: str, password: str, remote: str) -> Account | None:
        """The account, None for a wrong pair. Raises TooMany after many wrong ones in a row.

        `user` is the e-mail, or the part before its @ when only one account has it.
        """
        email = self._email(user)
        subject = f"user:{email[:320]}"
        self._wait(subject)
        account = self._accounts.get(email)
        usable = account is not None and account.kind == "user" and not account.disabled
        stored = account.password if account and usable else ""
        if not passwords.matches(stored, password):
            self._accounts.failed(subject, self._clock())
            _LOG.warning("sign-in refused: user=%r remote=%s", email[:100], remote)
            return None
        self._accounts.succeeded(subject)
        _LOG.info("sign-in: user=%r remote=%s", email, remote)
        return account

    def _email(self, user: str) -> str:
        name = user.strip().lower()
        if "@" in name or not name:
            return name
        found = self._accounts.named(name)
        return found[0] if len(found) == 1 else name

    def _wait(self, subject: str) -> None:
        count, last = self._accounts.failures(subject)
        if count < FREE_TRIES:
            return
        left = last + min(2.0 ** (count - FREE_TRIES), LONGEST_WAIT) - self._clock()
        if left > 0:
            seconds = int(left) + 1
            raise TooMany(f"Too many wrong passwords for this user. Try again in {seconds} s.", retry_after=seconds)
