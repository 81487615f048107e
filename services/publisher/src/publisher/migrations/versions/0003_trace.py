"""The trace that a publication's next step continues."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE publication ADD COLUMN trace text")
