"""A published post can be taken off its platform again."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE publication ADD COLUMN removed_at timestamptz")
