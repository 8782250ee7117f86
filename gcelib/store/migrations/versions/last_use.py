"""When each account was last used, so that an operator sees which ones nobody needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column that may be empty; an older gcelib does not look at it."""
    op.add_column("accounts", sa.Column("used", sa.Double(), nullable=True))
