"""A schedule can be paused."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE schedule DROP CONSTRAINT schedule_state_check")
    op.execute(
        "ALTER TABLE schedule ADD CONSTRAINT schedule_state_check"
        " CHECK (state IN ('scheduled', 'paused', 'due', 'done', 'partial', 'failed', 'cancelled'))"
    )
    op.execute("DROP INDEX schedule_open")
    op.execute(
        "CREATE INDEX schedule_open ON schedule (workspace_id, post_id) WHERE state IN ('scheduled', 'paused', 'due')"
    )
