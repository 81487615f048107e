"""What the connections of a series get, as hashes, so that other posts are found to say the same."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # Of series that were there it is not known: they are no duplicates of anything.
    op.execute("ALTER TABLE series ADD COLUMN content_hashes jsonb NOT NULL DEFAULT '{}'")
