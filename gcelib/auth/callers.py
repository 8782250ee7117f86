"""People and programs that come with their own keys to a cloud: proved with the cloud, kept sealed."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import threading
from collections.abc import Callable, Sequence

from gcelib.auth import audit
from gcelib.auth.guessing import Guessing
from gcelib.auth.vault import Vault
from gcelib.config.keys import Holder, Keys, tenancy
from gcelib.config.names import idlike
from gcelib.errors import Exists, Fault, TooMany, Unavailable
from gcelib.store import Account, AccountRows, Store

_LOG = logging.getLogger("gcelib.auth")

Verify = Callable[[str, str, str], Holder]
"""(cloud, key, secret) to whose they are; raises Unauthenticated when the cloud does not take them, Unavailable
when it does not answer."""

AT_ONCE = 8
"""How many pairs of keys are being proved at the same time: a cloud that hangs must not take every thread."""

_WAIT_SECONDS = 5.0
_LONGEST = 512
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9_-]{24,256}")
_DIGITS = 4


class Callers:
    """Keys of callers' own.

    `clouds` names the clouds that take them, `verify` proves them. Both are asked anew each time.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        verify: Verify,
        clouds: Callable[[], Sequence[str]],
        clock: Callable[[], float],
    ) -> None:
        self._accounts = AccountRows(store)
        self._vault = vault
        self._verify = verify
        self._clouds = clouds
        self._clock = clock
        self._guessing = Guessing(self._accounts, clock)
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def clouds(self) -> Sequence[str]:
        """The clouds that callers may sign in to with keys of their own."""
        return self._clouds()

    def is_key(self, client_id: str) -> bool:
        """Whether a client id can only be a caller's key ("KEY", or "CLOUD:KEY"): long, random, with digits.

        Programs call themselves by names, by UUIDs, or as Google's do with dots.
        """
        cloud, key = self._parted(client_id)
        shaped = _KEY.fullmatch(key) and not _UUID.fullmatch(key)
        return bool(shaped) and sum(letter.isdigit() for letter in key) >= _DIGITS and bool(cloud)

    def check(self, client_id: str, secret: str, remote: str, cloud: str = "") -> tuple[str, Keys] | None:
        """The account and the keys, proved with the cloud just now; None when they are not good.

        `client_id` is the key, or "CLOUD:KEY"; `cloud` is needed where callers have several to choose from.
        What is here already of the same account stays as it is. Raises TooMany after many wrong ones from one
        address, Unavailable when the cloud does not answer.
        """
        named, key = self._parted(client_id)
        cloud = cloud or named
        if cloud not in self._clouds() or not key or not secret or len(key) + len(secret) > _LONGEST:
            return None
        audit.note(proof=f"keys to cloud '{cloud}'")
        subject = f"keys:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        if not self._vault.has(self._vault.digest(cloud, key, secret)):
            # Whoever holds the secret never waits for others' guesses.
            self._guessing.wait(subject, remote)
        holder = self._prove(cloud, key, secret)
        account = self._account(cloud, holder) if holder else None
        if not holder or not account or account.disabled:
            self._guessing.wrong(subject, remote)
            return None
        self._guessing.right(subject, remote)
        audit.note(who=account.email)
        return account.email, self._vault.keep(account.email, cloud, holder, key, secret)

    def keys(self, id: str) -> Keys | None:
        """The keys of this id; None when they are gone, refused, or of a cloud that takes none any more."""
        found = self._vault.keys(id)
        return found if found and found.cloud in self._clouds() else None

    def _prove(self, cloud: str, key: str, secret: str) -> Holder | None:
        if not self._turns.acquire(timeout=_WAIT_SECONDS):
            raise Unavailable(f"Cloud '{cloud}' is slow to prove keys; try again.", retry_after=5)
        try:
            return self._verify(cloud, key, secret)
        except (Unavailable, TooMany):
            raise
        except Fault as fault:
            _LOG.info("cloud %s: %s", cloud, fault.message)
            return None
        finally:
            self._turns.release()

    def _account(self, cloud: str, holder: Holder) -> Account | None:
        """The account here that stands for the cloud's; made at its first sign-in."""
        owner = tenancy(cloud, holder.id)
        plain = f"{idlike(holder.name)}@{cloud.lower()}.cloud.gcelib.local"
        # Several accounts of a cloud may share a name: they are in other domains of it.
        other = plain.replace("@", f"-{hashlib.sha256(owner.encode()).hexdigest()[:8]}@")
        for email in (plain, other):
            found = self._accounts.get(email) or self._made(email, owner)
            if found and (found.kind, found.project) == ("cloud", owner):
                return found
        return None

    def _made(self, email: str, owner: str) -> Account | None:
        account = Account(
            email=email, kind="cloud", project=owner, number=str(10**20 + secrets.randbelow(9 * 10**20)),
            disabled=False, created=self._clock(),
        )  # fmt: skip
        try:
            self._accounts.add(account)
        except Exists:
            return self._accounts.get(email)
        return account

    def _parted(self, client_id: str) -> tuple[str, str]:
        """Cloud and key of "CLOUD:KEY"; a key alone is the only cloud's. The cloud is "" when it is none of ours."""
        clouds = self._clouds()
        cloud, colon, key = client_id.partition(":")
        if colon:
            return (cloud if cloud in clouds else "", key)
        return (clouds[0] if len(clouds) == 1 else "", client_id)
