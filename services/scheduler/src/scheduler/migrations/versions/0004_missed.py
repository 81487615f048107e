"""A connection of a schedule can miss its window."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE target DROP CONSTRAINT target_state_check")
    op.execute(
        "ALTER TABLE target ADD CONSTRAINT target_state_check"
        " CHECK (state IN ('waiting', 'published', 'failed', 'needs_attention', 'missed', 'cancelled'))"
    )
