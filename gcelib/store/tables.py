"""Every table of the store, in types that SQLite and PostgreSQL share."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.expression import literal_column, text

metadata = MetaData()


def _words(name: str) -> Column[str]:
    """A text that is never null: what is not known is empty."""
    return Column(name, Text, nullable=False, server_default="")


def _time(name: str) -> Column[float]:
    """A moment, in seconds since the epoch."""
    return Column(name, Double, nullable=False, server_default="0")


def _perhaps(name: str) -> Column[float]:
    """A moment that may not have come yet."""
    return Column(name, Double, nullable=True)


def _account() -> Column[str]:
    """The e-mail of an account; what hangs on it goes with it."""
    return Column("account", Text, ForeignKey("accounts.email", ondelete="CASCADE"), nullable=False)


# The migrations make the same of PostgreSQL; to say so here would load its dialect for everybody.
_OPEN: TextClause = text("status <> 'DONE'")
_OPEN_INSERT: TextClause = text("verb = 'insert' AND status <> 'DONE'")

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _words("number"),
    _words("project"),
    _words("scope"),
    _words("verb"),
    _words("target"),
    _words("target_id"),
    _words("target_kind"),
    _words("caller"),
    Column("request_key", Text, unique=True, nullable=True),
    _words("status"),
    Column("progress", Integer, nullable=False, server_default="0"),
    _time("insert_time"),
    _perhaps("start_time"),
    _perhaps("end_time"),
    Column("error", JSON(none_as_null=True), nullable=True),
    Column("warnings", JSON(none_as_null=True), nullable=True),
    Column("http_status", Integer, nullable=True),
    Column("work", JSON(none_as_null=True), nullable=True),
    Column("state", JSON(none_as_null=True), nullable=True),
    _perhaps("due"),
    _words("holder"),
    _time("lease_until"),
    _words("client_operation_id"),
    _words("method"),
    _words("description"),
    _words("canceller"),
    _words("request"),
    Index("operations_listed", "project", "scope", "insert_time"),
    Index("operations_due", "status", "due"),
    Index("operations_target", "target", "end_time"),
    Index("operations_open", "project", sqlite_where=_OPEN),
    Index(
        "operations_open_insert",
        "target",
        unique=True,
        sqlite_where=_OPEN_INSERT,
    ),
)

OPEN = operations.c.status != literal_column("'DONE'")
"""Not done yet; the word is written out, so that the index of the open ones serves."""

notes = Table(
    "notes",
    metadata,
    Column("place", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("data", JSON(none_as_null=True), nullable=True),
    _time("updated"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("email", Text, primary_key=True),
    _words("kind"),
    _words("project"),
    _words("number"),
    _words("password"),
    Column("disabled", Boolean, nullable=False),
    _time("created"),
    _perhaps("used"),
)

grants = Table(
    "grants",
    metadata,
    Column("account", Text, ForeignKey("accounts.email", ondelete="CASCADE"), primary_key=True),
    Column("project", Text, primary_key=True),
    _words("role"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    _words("public"),
    _time("created"),
    _perhaps("revoked"),
    Index("keys_account", "account"),
)

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    _words("secret"),
    _time("created"),
    _perhaps("revoked"),
    Index("clients_account", "account"),
)

codes = Table(
    "codes",
    metadata,
    Column("digest", Text, primary_key=True),
    _account(),
    _words("client"),
    _words("redirect"),
    _words("scope"),
    _words("challenge"),
    _words("family"),
    _time("expires"),
    _perhaps("used"),
    _words("credential"),
    Index("codes_expires", "expires"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    _account(),
    _words("kind"),
    _words("client"),
    _words("scope"),
    _words("family"),
    _time("created"),
    _time("expires"),
    _perhaps("rotated"),
    _perhaps("revoked"),
    _words("credential"),
    Index("tokens_family", "family"),
    Index("tokens_account", "account"),
    Index("tokens_expires", "expires"),
    Index("tokens_credential", "credential"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    _words("cloud"),
    _words("holder"),
    _words("name"),
    Column("projects", JSON(none_as_null=True), nullable=True),
    Column("digest", Text, nullable=False, unique=True),
    _words("sealed"),
    _time("created"),
    _time("used"),
    _perhaps("refused"),
    Index("credentials_holder", "cloud", "holder"),
    Index("credentials_account", "account"),
)
"""Callers' own keys to clouds: `sealed` under a key that is not in the database."""

failures = Table(
    "failures",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    _time("last"),
)

assertions = Table(
    "assertions",
    metadata,
    Column("digest", Text, primary_key=True),
    _time("expires"),
    Index("assertions_expires", "expires"),
)

generations = Table(
    "generations",
    metadata,
    Column("place", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""How often what is at a place has changed; used where processes share a database."""

turns = Table(
    "turns",
    metadata,
    Column("operation", Text, primary_key=True),
    _words("project"),
    Column("clouds", JSON(none_as_null=True), nullable=True),
    Index("turns_project", "project"),
)
"""Operations that plan from what their project's clouds hold, and may not be planned beside; likewise."""
