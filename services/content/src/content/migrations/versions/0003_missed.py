"""A publication can miss its window."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE publication DROP CONSTRAINT publication_state_check")
    op.execute(
        "ALTER TABLE publication ADD CONSTRAINT publication_state_check"
        " CHECK (state IN ('published', 'failed', 'needs_attention', 'cancelled', 'missed'))"
    )
