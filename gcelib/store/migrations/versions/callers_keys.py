"""Callers' own keys to clouds, sealed, and which of them a code or a token stands for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table, and the columns that name its rows."""
    account = sa.ForeignKey("accounts.email", ondelete="CASCADE")
    op.create_table(
        "credentials",
        sa.Column("id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("account", sa.Text(), account, nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False, server_default="") for name in ("cloud", "holder", "name")],
        sa.Column("projects", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False, unique=True),
        sa.Column("sealed", sa.Text(), nullable=False, server_default=""),
        *[sa.Column(name, sa.Double(), nullable=False, server_default="0") for name in ("created", "used")],
        sa.Column("refused", sa.Double(), nullable=True),
    )
    op.create_index("credentials_holder", "credentials", ["cloud", "holder"])
    op.create_index("credentials_account", "credentials", ["account"])
    for table in ("codes", "tokens"):
        op.add_column(table, sa.Column("credential", sa.Text(), nullable=False, server_default=""))
    op.create_index("tokens_credential", "tokens", ["credential"])
