"""How people prove who they are, and from where."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE session ADD COLUMN proved_at timestamptz")
