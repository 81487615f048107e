"""A post that went out can be taken off its platform again."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE target ADD COLUMN removed_at timestamptz")
