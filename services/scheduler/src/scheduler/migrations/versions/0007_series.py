"""Series, whose occurrences are schedules."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0007"
down_revision = "0006"

_SERIES = """
CREATE TABLE series (
    series_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    post_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    connection_ids uuid[] NOT NULL,
    rule text NOT NULL,
    starts_at timestamp NOT NULL,
    time_zone text NOT NULL,
    late interval NOT NULL,
    when_missed text NOT NULL CHECK (when_missed IN ('hold', 'drop')),
    state text NOT NULL CHECK (state IN ('active', 'paused', 'finished', 'cancelled')),
    reason text,
    last_number integer NOT NULL,
    ends_after integer,
    skipped integer NOT NULL,
    next_at timestamptz,
    created_by uuid,
    created_at timestamptz NOT NULL,
    trace text
)
"""


def upgrade() -> None:
    op.execute(_SERIES)
    schema.protect("series", "scheduler")
    # What the loop asks for stays as small as what is to be written out next.
    op.execute("CREATE INDEX series_to_unfold ON series (next_at) WHERE next_at IS NOT NULL")
    op.execute("CREATE INDEX series_of_workspace ON series (workspace_id, created_at)")
    op.execute(
        "ALTER TABLE schedule ADD COLUMN series_id uuid REFERENCES series,"
        " ADD COLUMN occurrence integer NOT NULL DEFAULT 1"
    )
    op.execute(
        "CREATE UNIQUE INDEX schedule_occurrence ON schedule (series_id, occurrence) WHERE series_id IS NOT NULL"
    )
