"""Keeps callers' own keys sealed, and opens them again: the only place where a stored secret becomes readable."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from gcelib.auth.seal import Broken, Seal
from gcelib.config import sealed
from gcelib.config.keys import Holder, Keys, tenancy
from gcelib.config.sealed import Secret
from gcelib.store import Credential, CredentialRows, Store

_LOG = logging.getLogger("gcelib.auth")

PURPOSE = "callers' keys"


class Vault:
    """Callers' keys in the store, each sealed for its account of its cloud: moved to another row it stays shut."""

    def __init__(self, store: Store, seal: Seal, clock: Callable[[], float]) -> None:
        self._rows = CredentialRows(store)
        self._seal = seal
        self._clock = clock

    def digest(self, cloud: str, key: str, secret: str) -> str:
        """What finds this pair again without opening any."""
        return self._seal.digest(cloud, key, secret)

    def has(self, digest: str) -> bool:
        """Whether this very pair is kept."""
        return self._rows.by_digest(digest) is not None

    def keep(self, email: str, cloud: str, holder: Holder, key: str, secret: str) -> Keys:
        """Keep a pair that was proved good just now for an account of ours."""
        now = self._clock()
        row = self._rows.keep(
            Credential(
                id=secrets.token_hex(12), account=email, cloud=cloud, holder=holder.id, name=holder.name,
                projects=holder.projects, digest=self.digest(cloud, key, secret),
                sealed=self._shut(cloud, holder.id, key, secret), created=now, used=now,
            )
        )
        return Keys(row.id, cloud, holder, key, Secret(secret))

    def keys(self, id: str) -> Keys | None:
        """The pair of this id; None when it is gone, refused, or nobody can open it."""
        found = self._rows.get(id)
        return self._opened(found) if found else None

    def keys_of(self, cloud: str, account: str) -> list[Keys]:
        """Every pair of one account of a cloud, the last used first."""
        opened = (self._opened(each) for each in self._rows.of(cloud, account))
        return [keys for keys in opened if keys]

    def refuse(self, id: str) -> None:
        """The cloud does not take this pair any more: end what stands for it."""
        self._rows.refuse(id, self._clock())
        _LOG.warning("a cloud no longer takes the keys %s: what was signed in with them is signed out", id)

    def purge(self) -> None:
        """Forget pairs that nothing stands for any more."""
        self._rows.purge(self._clock())

    def reseal(self) -> tuple[int, int]:
        """Seal everything with the newest key: how many pairs were, and how many went as nobody can open them."""

        def change(row: Credential) -> tuple[str, str] | None:
            keys = self._opened(row)
            if keys is None:
                return None
            secret = keys.secret.reveal()
            digest = self.digest(keys.cloud, keys.key, secret)
            if digest == row.digest and row.sealed.startswith(f"{self._seal.newest()}."):
                return row.digest, row.sealed
            return digest, self._shut(row.cloud, row.holder, keys.key, secret)

        return self._rows.reseal(change)

    def _shut(self, cloud: str, holder: str, key: str, secret: str) -> str:
        return self._seal.shut(json.dumps([key, secret]).encode(), tenancy(cloud, holder))

    def _opened(self, row: Credential) -> Keys | None:
        try:
            key, secret = json.loads(self._seal.open(row.sealed, tenancy(row.cloud, row.holder)))
        except Broken as error:
            _LOG.error("the keys %s of cloud %s cannot be opened: %s", row.id, row.cloud, error)
            return None
        return Keys(row.id, row.cloud, Holder(row.holder, row.name, tuple(row.projects)), key, Secret(secret))


def rotate_seal(store: Store, path: Path, clock: Callable[[], float]) -> tuple[int, int]:
    """Make a new seal key in the file `path` and seal all callers' keys with it; as `Vault.reseal`.

    A running server follows by itself. Cut off in between, it is finished by calling it again: until then the
    old seal key stays beside the new one. Raises ConfigError when the file cannot be replaced.
    """
    old = sealed.new_seal_key(path)
    seal = Seal(lambda: sealed.seal_key(path), PURPOSE)
    seal.know(sealed.seal_key(old))
    done = Vault(store, seal, clock).reseal()
    old.unlink()
    return done
