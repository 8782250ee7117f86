"""Open operations are found, and counted by project, without a look at those that are done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make an index; nothing that an older gcelib uses is touched."""
    open = sa.text("status <> 'DONE'")
    op.create_index("operations_open", "operations", ["project"], sqlite_where=open, postgresql_where=open)
