"""What a connection gets, as a hash, so that the same is not sent twice by mistake."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # Of rows that were there it is not known: they are no duplicates of anything.
    op.execute("ALTER TABLE target ADD COLUMN content_hash text")
    op.execute("CREATE INDEX target_content ON target (connection_id, content_hash) WHERE content_hash IS NOT NULL")
