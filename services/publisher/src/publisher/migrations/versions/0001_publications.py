"""Publications with their history, attempts and journal; what is known of connections; cancellations."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0001"
down_revision = None

_PUBLICATION = """
CREATE TABLE publication (
    publication_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    occurrence integer NOT NULL,
    post_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    platform text,
    state text NOT NULL CHECK (state IN ('planned', 'staging', 'staged', 'publishing', 'processing',
        'outcome_unknown', 'published', 'failed', 'needs_attention', 'cancelled')),
    due boolean NOT NULL,
    held boolean NOT NULL,
    next_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    content_hash text,
    media_verified boolean NOT NULL DEFAULT false,
    staged_at timestamptz,
    attempted_at timestamptz,
    published_at timestamptz,
    platform_post_id text,
    url text,
    evidence jsonb,
    code text,
    detail text,
    advice text,
    claim uuid,
    leased_until timestamptz,
    UNIQUE (schedule_id, connection_id, occurrence)
) WITH (fillfactor = 80)
"""

_HISTORY = """
CREATE TABLE history (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    publication_id uuid NOT NULL REFERENCES publication ON DELETE CASCADE,
    workspace_id uuid NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    code text
)
"""

_ATTEMPT = """
CREATE TABLE attempt (
    publication_id uuid NOT NULL REFERENCES publication ON DELETE CASCADE,
    number integer NOT NULL,
    workspace_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text,
    code text,
    PRIMARY KEY (publication_id, number)
)
"""

_JOURNAL = """
CREATE TABLE journal (
    publication_id uuid PRIMARY KEY REFERENCES publication ON DELETE CASCADE,
    workspace_id uuid NOT NULL,
    facts jsonb NOT NULL
)
"""

_CONNECTION = """
CREATE TABLE connection (
    connection_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    platform text,
    state text NOT NULL CHECK (state IN ('active', 'reauth_required', 'revoked')),
    changed_at timestamptz NOT NULL
)
"""

_CANCELLATION = """
CREATE TABLE cancellation (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_id uuid NOT NULL,
    connection_id uuid,
    workspace_id uuid NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    for table in (_PUBLICATION, _HISTORY, _ATTEMPT, _JOURNAL, _CONNECTION, _CANCELLATION):
        op.execute(table)
    # What the workers ask several times a second stays as small as what is to be done.
    op.execute("CREATE INDEX publication_next ON publication (next_at) WHERE next_at IS NOT NULL")
    op.execute("CREATE INDEX publication_connection ON publication (connection_id)")
    op.execute("CREATE INDEX publication_newest ON publication (workspace_id, due_at DESC)")
    op.execute("CREATE INDEX publication_post ON publication (post_id)")
    op.execute("CREATE INDEX history_publication ON history (publication_id)")
    op.execute("CREATE INDEX cancellation_schedule ON cancellation (schedule_id)")
    schema.create_messaging("publisher")
    for table in ("publication", "history", "attempt", "connection", "cancellation"):
        schema.protect(table, "publisher")
    # The journal is the workers' own: no request of a person reads it.
    schema.protect("journal", "publisher", visible="false")
