"""Open operations, and those that have just ended on a target, are found without a look at all that are done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make two indexes; nothing that an older gcelib uses is touched."""
    op.create_index("operations_target", "operations", ["target", "end_time"])
    open = sa.text("status <> 'DONE'")
    op.create_index("operations_open", "operations", ["project"], sqlite_where=open, postgresql_where=open)
