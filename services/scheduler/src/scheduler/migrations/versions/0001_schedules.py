"""Schedules and their targets."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0001"
down_revision = None

_SCHEDULE = """
CREATE TABLE schedule (
    schedule_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    post_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    wall_clock timestamp NOT NULL,
    time_zone text NOT NULL,
    adjustment text NOT NULL CHECK (adjustment IN ('none', 'gap', 'overlap')),
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('scheduled', 'due', 'done', 'partial', 'failed', 'cancelled')),
    reason text,
    created_by uuid,
    created_at timestamptz NOT NULL
)
"""

_TARGET = """
CREATE TABLE target (
    schedule_id uuid NOT NULL REFERENCES schedule ON DELETE CASCADE,
    connection_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    position smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'published', 'failed', 'needs_attention', 'cancelled')),
    code text,
    publication_id uuid,
    PRIMARY KEY (schedule_id, connection_id)
)
"""


def upgrade() -> None:
    op.execute(_SCHEDULE)
    op.execute(_TARGET)
    # What the clock asks every half second stays as small as what is still to come.
    op.execute("CREATE INDEX schedule_to_announce ON schedule (due_at) WHERE state = 'scheduled'")
    op.execute("CREATE INDEX schedule_open ON schedule (workspace_id, post_id) WHERE state IN ('scheduled', 'due')")
    op.execute("CREATE INDEX schedule_newest ON schedule (workspace_id, due_at DESC)")
    schema.create_messaging("scheduler")
    schema.protect("schedule", "scheduler")
    schema.protect("target", "scheduler")
