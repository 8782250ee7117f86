"""Checks a person's name and password, slower the more often they were wrong."""

from __future__ import annotations

from collections.abc import Callable

from gcelib.auth import audit, passwords
from gcelib.auth.guessing import Guessing
from gcelib.store import Account, AccountRows


class SignIn:
    """Names and passwords against the accounts of people; service accounts cannot come in here."""

    def __init__(self, accounts: AccountRows, clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._guessing = Guessing(accounts, clock)

    def check(self, user: str, password: str, remote: str) -> Account | None:
        """The account, None for a wrong pair. Raises TooMany after many wrong ones in a row.

        `user` is the e-mail, or the part before its @ when only one account has it.
        """
        email = self._email(user)
        audit.note(who=email, proof="password")
        subject = f"user:{email[:320]}"
        self._guessing.wait(subject, remote)
        account = self._accounts.get(email)
        usable = account is not None and account.kind == "user" and not account.disabled
        stored = account.password if account and usable else ""
        matched = passwords.matches(stored, password)
        # Once more: of many tries sent at once, those that follow wrong ones learn nothing.
        self._guessing.wait(subject, remote)
        if not matched:
            self._guessing.wrong(subject, remote)
            return None
        self._guessing.right(subject, remote)
        return account

    def _email(self, user: str) -> str:
        name = user.strip().lower()
        if " " in name or not name.isprintable():
            # Nobody's, and neither a database nor a count of wrong ones may take it for something else.
            return ""
        if "@" in name or not name:
            return name
        found = self._accounts.named(name)
        return found[0] if len(found) == 1 else name
