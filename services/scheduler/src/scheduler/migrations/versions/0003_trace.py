"""The trace of the request that made a schedule, which its announcement continues."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE schedule ADD COLUMN trace text")
