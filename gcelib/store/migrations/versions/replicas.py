"""What processes that share a database tell each other: what has changed, and whose turn it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make two tables; nothing that an older gcelib uses is touched."""
    op.create_table(
        "generations",
        sa.Column("place", sa.Text(), primary_key=True, nullable=False),
        sa.Column("kind", sa.Text(), primary_key=True, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("operation", sa.Text(), primary_key=True, nullable=False),
        sa.Column("project", sa.Text(), nullable=False, server_default=""),
        sa.Column("clouds", sa.JSON(none_as_null=True), nullable=True),
    )
    op.create_index("turns_project", "turns", ["project"])
