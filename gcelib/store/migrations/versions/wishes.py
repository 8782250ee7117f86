"""What an operation came of, so that it can be carried out anew, and who wants it cancelled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add columns that are empty where an older gcelib does not fill them."""
    for name in ("method", "description", "canceller", "request"):
        op.add_column("operations", sa.Column(name, sa.Text(), nullable=False, server_default=""))
