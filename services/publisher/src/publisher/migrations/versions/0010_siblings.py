"""A connection's posts are found by when they are due, so that those before another one are counted quickly."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("CREATE INDEX publication_of_connection ON publication (connection_id, due_at, publication_id)")
    # The new one serves whoever asked it.
    op.execute("DROP INDEX publication_connection")
