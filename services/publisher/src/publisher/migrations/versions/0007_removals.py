"""Published posts that a person wants off the platform again."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0007"
down_revision = "0006"

_REMOVAL = """
CREATE TABLE removal (
    publication_id uuid PRIMARY KEY REFERENCES publication ON DELETE CASCADE,
    workspace_id uuid NOT NULL,
    asked_by uuid,
    asked_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'removing', 'removed', 'not_possible', 'failed')),
    tries integer NOT NULL DEFAULT 0,
    next_at timestamptz,
    ended_at timestamptz,
    code text,
    detail text,
    advice text,
    evidence jsonb,
    claim uuid,
    leased_until timestamptz
)
"""


def upgrade() -> None:
    op.execute(_REMOVAL)
    op.execute("CREATE INDEX removal_next ON removal (next_at) WHERE next_at IS NOT NULL")
    op.execute("CREATE INDEX removal_workspace ON removal (workspace_id)")
    op.execute("CREATE INDEX removal_asked_by ON removal (asked_by) WHERE asked_by IS NOT NULL")
    schema.protect("removal", "publisher")
