"""Who may come in: accounts, the roles granted to them, their keys, and how often they failed to sign in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gcelib.errors import Exists
from gcelib.store.engine import Store
from gcelib.store.tables import accounts, codes, failures, grants, keys, tokens


@dataclass(frozen=True, slots=True)
class Account:
    """A person ("user") or a program ("service"). `password` is a hash, empty for services; `used` is when it was
    last used, within a minute, None where it never was."""

    email: str
    kind: str
    project: str
    number: str
    disabled: bool
    created: float
    password: str = field(default="", repr=False)
    roles: Mapping[str, str] = field(default_factory=dict)
    used: float | None = None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a service account's signatures are checked with; `public` is PEM."""

    id: str
    account: str
    public: str
    created: float


_TRUST = "right: "
"""Begins the subjects that were right, in the table of failures."""
_TRUST_SECONDS = 90 * 86_400.0


class AccountRows:
    """The accounts in the store. E-mails are compared as they are written: give them in lower case."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, account: Account) -> None:
        """Keep a new account with its roles. Raises Exists when the e-mail is taken."""
        try:
            with self._store.write() as connection:
                connection.execute(
                    insert(accounts).values(
                        email=account.email,
                        kind=account.kind,
                        project=account.project,
                        number=account.number,
                        password=account.password,
                        disabled=account.disabled,
                        created=account.created,
                    )
                )
                for project, role in account.roles.items():
                    connection.execute(insert(grants).values(account=account.email, project=project, role=role))
        except IntegrityError as error:
            raise Exists(f"The account {account.email} already exists.") from error

    def get(self, email: str) -> Account | None:
        """The account of this e-mail, with its roles."""
        with self._store.read() as connection:
            return self._one(connection, email)

    def every(self) -> list[Account]:
        """All accounts, by e-mail."""
        with self._store.read() as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.email)).mappings().all()
            held: dict[str, dict[str, str]] = defaultdict(dict)
            for row in connection.execute(select(grants).order_by(grants.c.project)):
                held[row.account][row.project] = row.role
        return [Account(**row, roles=held.get(row["email"], {})) for row in rows]

    def named(self, name: str) -> list[str]:
        """The e-mails whose part before the @ is `name`."""
        with self._store.read() as connection:
            like = accounts.c.email.startswith(f"{name}@", autoescape=True)
            return list(connection.execute(select(accounts.c.email).where(like)).scalars())

    def set_password(self, email: str, password: str) -> None:
        """Replace the hash and end every session, those too for which a code is on its way."""
        with self._store.write() as connection:
            connection.execute(update(accounts).where(accounts.c.email == email).values(password=password))
            self._sign_out(connection, email)

    def set_disabled(self, email: str, disabled: bool) -> None:
        """Shut an account out or let it in again; shutting out ends every session."""
        with self._store.write() as connection:
            connection.execute(update(accounts).where(accounts.c.email == email).values(disabled=disabled))
            if disabled:
                self._sign_out(connection, email)

    def grant(self, email: str, project: str, role: str) -> None:
        """Give a role on a project, instead of any it had there."""
        with self._store.write() as connection:
            self._ungrant(connection, email, project)
            connection.execute(insert(grants).values(account=email, project=project, role=role))

    def revoke(self, email: str, project: str) -> bool:
        """Take the role on a project; False when there was none."""
        with self._store.write() as connection:
            return self._ungrant(connection, email, project)

    def add_key(self, key: PublicKey, *, only: bool, now: float) -> None:
        """Keep a key; `only`: every other key of the account, and what was handed out for it, ends now."""
        with self._store.write() as connection:
            if only:
                mine = (keys.c.account == key.account) & keys.c.revoked.is_(None)
                connection.execute(update(keys).where(mine).values(revoked=now))
                connection.execute(delete(tokens).where(tokens.c.account == key.account))
            connection.execute(
                insert(keys).values(id=key.id, account=key.account, public=key.public, created=key.created)
            )

    def keys(self, email: str) -> list[PublicKey]:
        """The keys of an account that are still good, newest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(keys.c.id, keys.c.account, keys.c.public, keys.c.created)
                .where(keys.c.account == email, keys.c.revoked.is_(None))
                .order_by(keys.c.created.desc())
            ).all()
        return [PublicKey(*row) for row in rows]

    def failures(self, subject: str) -> tuple[int, float]:
        """How often `subject` failed in a row, and when last."""
        with self._store.read() as connection:
            row = connection.execute(
                select(failures.c.count, failures.c.last).where(failures.c.subject == subject)
            ).first()
        return (int(row[0]), float(row[1])) if row else (0, 0.0)

    def failed(self, subject: str, now: float) -> None:
        """Count a failure; those of a day ago are forgotten, and whom to trust 90 days after the last time."""
        right = failures.c.subject.startswith(_TRUST)
        old = (failures.c.last < now - _TRUST_SECONDS) | (~right & (failures.c.last < now - 86_400))
        again = update(failures).where(failures.c.subject == subject).values(count=failures.c.count + 1, last=now)
        try:
            with self._store.write() as connection:
                connection.execute(delete(failures).where(old))
                if not connection.execute(again).rowcount:
                    connection.execute(insert(failures).values(subject=subject, count=1, last=now))
        except IntegrityError:
            # Another replica counted the first one between our two statements.
            with self._store.write() as connection:
                connection.execute(again)

    def succeeded(self, subject: str) -> None:
        """Forget the failures of `subject`."""
        with self._store.write() as connection:
            connection.execute(delete(failures).where(failures.c.subject == subject))

    def trust(self, subject: str, now: float) -> None:
        """Remember that `subject` was right."""
        self.failed(_TRUST + subject, now)

    def trusted(self, subject: str, now: float) -> bool:
        """Whether `subject` was right within 90 days."""
        count, last = self.failures(_TRUST + subject)
        return count > 0 and last > now - _TRUST_SECONDS

    def used(self, when: Mapping[str, float]) -> None:
        """Note when accounts were last used, by e-mail; a time before one that is known changes nothing."""
        last = accounts.c.used
        with self._store.write() as connection:
            for email, moment in when.items():
                newer = (accounts.c.email == email) & (last.is_(None) | (last < moment))
                connection.execute(update(accounts).where(newer).values(used=moment))

    def count(self) -> int:
        """How many accounts there are."""
        with self._store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(accounts)).scalar_one())

    @staticmethod
    def _one(connection: Connection, email: str) -> Account | None:
        row = connection.execute(select(accounts).where(accounts.c.email == email)).mappings().first()
        if not row:
            return None
        held = connection.execute(
            select(grants.c.project, grants.c.role).where(grants.c.account == email).order_by(grants.c.project)
        )
        return Account(**row, roles={row.project: row.role for row in held})

    @staticmethod
    def _sign_out(connection: Connection, email: str) -> None:
        """End what was handed out; codes stay, expired: who is about to use one up must find it."""
        connection.execute(delete(tokens).where(tokens.c.account == email))
        connection.execute(update(codes).where(codes.c.account == email).values(expires=0.0))

    @staticmethod
    def _ungrant(connection: Connection, email: str, project: str) -> bool:
        mine = (grants.c.account == email) & (grants.c.project == project)
        return bool(connection.execute(delete(grants).where(mine)).rowcount)
