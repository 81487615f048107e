"""Which scheduler announces what; until when a late post may still go out."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE schedule ADD COLUMN held_by uuid, ADD COLUMN publish_until timestamptz,"
        " ADD COLUMN when_missed text NOT NULL DEFAULT 'hold' CHECK (when_missed IN ('hold', 'drop'))"
    )
    # Unlogged: who was alive before the database went down says so again.
    op.execute("CREATE UNLOGGED TABLE clockwork (holder uuid PRIMARY KEY, alive_until timestamptz NOT NULL)")
    schema.grant("clockwork", "scheduler")
    op.execute("CREATE INDEX schedule_held ON schedule (held_by) WHERE state = 'scheduled' AND held_by IS NOT NULL")
