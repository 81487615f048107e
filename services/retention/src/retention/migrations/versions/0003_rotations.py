"""Backups of keys are taken apart from the others, and rotate by a clock of their own."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE backup ADD COLUMN rotation text NOT NULL DEFAULT 'data' CHECK (rotation IN ('data', 'keys'))"
    )
    op.execute("DROP INDEX backup_one_at_a_time")
    op.execute("CREATE UNIQUE INDEX backup_one_at_a_time ON backup (rotation) WHERE state = 'taking'")
