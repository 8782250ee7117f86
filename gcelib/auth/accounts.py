"""Makes accounts, gives and takes roles, and writes the key files that Google's libraries read."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gcelib.auth import passwords
from gcelib.auth.policy import ROLES
from gcelib.config.names import idlike
from gcelib.errors import Invalid, Missing, NotFound
from gcelib.store import Account, AccountRows, PublicKey, Store

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_KINDS = {
    "user": "a person: people have passwords, not keys",
    "service": "a program: it has keys, no password",
    "cloud": "an account of a cloud: its keys are made and changed in that cloud",
}
_EMAIL = re.compile(r"[^@\s\"<>]{1,64}@[^@\s\"<>]{1,253}")


class Accounts:
    """The accounts of people and programs.

    `name` is an e-mail, or a short name: then the account is NAME@PROJECT.gcelib.local. To name an
    account that exists, either will do, as long as the short one means a single account. Methods raise
    Invalid for what cannot be, Exists for a name that is taken, NotFound for one that is not there.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._rows = AccountRows(store)
        self._clock = clock

    def create_user(self, name: str, password: str, project: str, role: str) -> Account:
        """A person who signs in with a password."""
        if not password:
            raise Missing("The password is empty.", field="password")
        return self._add(name, "user", project, role, passwords.hashed(password))

    def create_service(self, name: str, project: str, role: str, base_url: str) -> dict[str, str]:
        """A program that signs in with a key; the key file's content, which is not kept here.

        `base_url` is how clients reach the server ("https://host:port").
        """
        private, public = _key_pair()
        account = self._add(name, "service", project, role, "")
        return self._keyed(account, private, public, base_url, only=False)

    def rotate_key(self, name: str, base_url: str, *, keep: bool = False) -> dict[str, str]:
        """A new key for a service account. The old ones end now, with their tokens, unless `keep`."""
        account = self.get(name)
        if account.kind != "service":
            raise Invalid(f"{account.email} is {_KINDS[account.kind]}.", field="name")
        private, public = _key_pair()
        return self._keyed(account, private, public, base_url, only=not keep)

    def grant(self, name: str, project: str, role: str) -> Account:
        """Give a role on a project ("*": on every one) in place of the one held there."""
        _check_role(role)
        account = self.get(name)
        self._rows.grant(account.email, project, role)
        return self.get(account.email)

    def revoke(self, name: str, project: str) -> Account:
        """Take the role on a project away."""
        account = self.get(name)
        if not self._rows.revoke(account.email, project):
            raise NotFound(f"{account.email} has no role on the project {project}.")
        return self.get(account.email)

    def list(self) -> list[Account]:
        """Every account, by e-mail."""
        return self._rows.every()

    def disable(self, name: str, disabled: bool = True) -> Account:
        """Shut an account out, ending its tokens, or let it in again."""
        account = self.get(name)
        self._rows.set_disabled(account.email, disabled)
        return self.get(account.email)

    def set_password(self, name: str, password: str) -> Account:
        """Give a person a new password, ending what was signed in with the old one."""
        account = self.get(name)
        if account.kind != "user":
            raise Invalid(f"{account.email} is {_KINDS[account.kind]}.", field="name")
        if not password:
            raise Missing("The password is empty.", field="password")
        self._rows.set_password(account.email, passwords.hashed(password))
        return account

    def get(self, name: str) -> Account:
        """The account of this e-mail or short name."""
        wanted = name.strip().lower()
        emails = [wanted] if "@" in wanted else self._rows.named(wanted)
        if len(emails) > 1:
            raise Invalid(f"{name} may be any of {', '.join(sorted(emails))}: name one.", field="name")
        account = self._rows.get(emails[0]) if emails else None
        if not account:
            raise NotFound(f"There is no account {name}. `gcelib account list` shows all.")
        return account

    def _add(self, name: str, kind: str, project: str, role: str, password: str) -> Account:
        _check_role(role)
        account = Account(
            email=address(name, project),
            kind=kind,
            project=project,
            number=str(10**20 + secrets.randbelow(9 * 10**20)),
            disabled=False,
            created=self._clock(),
            password=password,
            roles={project: role},
        )
        self._rows.add(account)
        return account

    def _keyed(self, account: Account, private: str, public: str, base_url: str, *, only: bool) -> dict[str, str]:
        now = self._clock()
        key = PublicKey(id=secrets.token_hex(20), account=account.email, public=public, created=now)
        self._rows.add_key(key, only=only, now=now)
        return {
            "type": "service_account",
            "project_id": idlike(account.project),
            "private_key_id": key.id,
            "private_key": private,
            "client_email": account.email,
            "client_id": account.number,
            "auth_uri": f"{base_url}/oauth2/auth",
            "token_uri": f"{base_url}/oauth2/token",
            "universe_domain": "googleapis.com",
        }


def address(name: str, project: str) -> str:
    """The e-mail of an account: the name itself when it is one. Raises Invalid."""
    wanted = name.strip().lower()
    if _EMAIL.fullmatch(wanted):
        return wanted
    if not _NAME.fullmatch(wanted):
        raise Invalid(
            f"{name!r} cannot name an account: use an e-mail, or letters, digits, '.', '-' and '_'.", field="name"
        )
    return f"{wanted}@{'all' if project == '*' else idlike(project)}.gcelib.local"


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid(f"There is no role {role!r}; the roles are {', '.join(ROLES)}.", field="role")


def _key_pair() -> tuple[str, str]:
    """An RSA key of 2048 bits, as Google's are: private (PKCS 8) and public, both PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
