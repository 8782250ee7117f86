"""The first schema: operations, notes, accounts and what is handed out to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    _operations()
    _notes()
    _accounts()
    _secrets()
    _codes_and_tokens()
    _guards()


def _words(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), primary_key=True, nullable=False)


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=False, server_default="0")


def _perhaps(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=True)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=True)


def _account(primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "account",
        sa.Text(),
        sa.ForeignKey("accounts.email", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
    )


def _operations() -> None:
    before = ["number", "project", "scope", "verb", "target", "target_id", "target_kind", "caller"]
    op.create_table(
        "operations",
        _key("id"),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        *[_words(name) for name in before],
        sa.Column("request_key", sa.Text(), nullable=True, unique=True),
        _words("status"),
        sa.Column("progress", sa.Integer(), nullable=False, server_default="0"),
        _time("insert_time"),
        _perhaps("start_time"),
        _perhaps("end_time"),
        _json("error"),
        _json("warnings"),
        sa.Column("http_status", sa.Integer(), nullable=True),
        _json("work"),
        _json("state"),
        _perhaps("due"),
        _words("holder"),
        _time("lease_until"),
        _words("client_operation_id"),
    )
    op.create_index("operations_listed", "operations", ["project", "scope", "insert_time"])
    op.create_index("operations_due", "operations", ["status", "due"])
    unfinished = sa.text("verb = 'insert' AND status <> 'DONE'")
    op.create_index(
        "operations_open_insert",
        "operations",
        ["target"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def _notes() -> None:
    op.create_table("notes", _key("place"), _key("kind"), _key("id"), _json("data"), _time("updated"))


def _accounts() -> None:
    op.create_table(
        "accounts",
        _key("email"),
        *[_words(name) for name in ("kind", "project", "number", "password")],
        sa.Column("disabled", sa.Boolean(), nullable=False),
        _time("created"),
    )
    op.create_table("grants", _account(primary_key=True), _key("project"), _words("role"))


def _secrets() -> None:
    for table, secret in (("keys", "public"), ("clients", "secret")):
        op.create_table(table, _key("id"), _account(), _words(secret), _time("created"), _perhaps("revoked"))
        op.create_index(f"{table}_account", table, ["account"])


def _codes_and_tokens() -> None:
    op.create_table(
        "codes",
        _key("digest"),
        _account(),
        *[_words(name) for name in ("client", "redirect", "scope", "challenge", "family")],
        _time("expires"),
        _perhaps("used"),
    )
    op.create_index("codes_expires", "codes", ["expires"])
    op.create_table(
        "tokens",
        _key("digest"),
        _account(),
        *[_words(name) for name in ("kind", "client", "scope", "family")],
        _time("created"),
        _time("expires"),
        _perhaps("rotated"),
        _perhaps("revoked"),
    )
    for name in ("family", "account", "expires"):
        op.create_index(f"tokens_{name}", "tokens", [name])


def _guards() -> None:
    op.create_table("failures", _key("subject"), sa.Column("count", sa.Integer(), nullable=False), _time("last"))
    op.create_table("assertions", _key("digest"), _time("expires"))
    op.create_index("assertions_expires", "assertions", ["expires"])
