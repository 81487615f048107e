"""Why a platform tells no numbers of a publication."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE tracked ADD COLUMN withheld text CHECK (length(withheld) <= 100)")
