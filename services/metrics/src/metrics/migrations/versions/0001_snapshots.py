"""What is tracked, its snapshots, and what has ended."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0001"
down_revision = None

TRACKED = """
CREATE TABLE tracked (
    publication_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    post_id uuid NOT NULL,
    platform text NOT NULL,
    platform_post_id text,
    published_at timestamptz,
    state text NOT NULL CHECK (state IN ('waiting', 'tracking', 'stopped', 'gone', 'finished')),
    next_at timestamptz,
    absences integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    CHECK (state <> 'tracking'
           OR (platform_post_id IS NOT NULL AND published_at IS NOT NULL AND next_at IS NOT NULL))
)
"""

# An erasure that meets a collection under way must take its snapshots with it, whichever commits first.
SNAPSHOT = """
CREATE TABLE snapshot (
    publication_id uuid NOT NULL REFERENCES tracked ON DELETE CASCADE,
    taken_at timestamptz NOT NULL,
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    views bigint,
    likes bigint,
    comments bigint,
    shares bigint,
    impressions bigint,
    PRIMARY KEY (publication_id, taken_at)
)
"""

ENDED = "CREATE TABLE ended (subject_id uuid PRIMARY KEY, ended_at timestamptz NOT NULL)"


def upgrade() -> None:
    schema.create_messaging("metrics")
    op.execute(TRACKED)
    op.execute("CREATE INDEX tracked_due ON tracked (next_at) WHERE state = 'tracking'")
    op.execute("CREATE INDEX tracked_connection ON tracked (connection_id)")
    op.execute("CREATE INDEX tracked_workspace ON tracked (workspace_id, published_at DESC)")
    op.execute(SNAPSHOT)
    op.execute("CREATE INDEX snapshot_connection ON snapshot (connection_id)")
    op.execute("CREATE INDEX snapshot_workspace ON snapshot (workspace_id)")
    schema.protect("tracked", "metrics")
    schema.protect("snapshot", "metrics")
    op.execute(ENDED)
    # No request reads it; only loops and event handlers do.
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ended TO metrics_worker")
