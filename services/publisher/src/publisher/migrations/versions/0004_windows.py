"""Until when a publication may go out, turns of workspaces, and cancellations of one occurrence."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE publication ADD COLUMN publish_until timestamptz,"
        " ADD COLUMN when_missed text NOT NULL DEFAULT 'hold' CHECK (when_missed IN ('hold', 'drop'))"
    )
    op.execute("ALTER TABLE cancellation ADD COLUMN occurrence integer")
    op.execute("ALTER TABLE publication DROP CONSTRAINT publication_state_check")
    op.execute(
        "ALTER TABLE publication ADD CONSTRAINT publication_state_check CHECK (state IN ('planned', 'staging',"
        " 'staged', 'publishing', 'processing', 'outcome_unknown', 'published', 'failed', 'needs_attention',"
        " 'missed', 'cancelled'))"
    )
    # Where one workspace has a backlog, the others take turns with it.
    op.execute("CREATE INDEX publication_turn ON publication (workspace_id, next_at) WHERE next_at IS NOT NULL")
