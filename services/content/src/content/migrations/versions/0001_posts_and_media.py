"""Posts, revisions, review, seals, media, and what became of publications."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0001"
down_revision = None

# Every key starts with the workspace, so that no row can point into another one.
MEDIA = """
CREATE TABLE media (
    workspace_id uuid NOT NULL,
    media_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('uploading', 'stored', 'removing')),
    kind text NOT NULL CHECK (kind IN ('image', 'video')),
    content_type text NOT NULL,
    size_bytes bigint CHECK (size_bytes > 0),
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    duration_seconds double precision,
    frames_per_second double precision,
    codec text,
    created_by uuid,
    created_at timestamptz NOT NULL,
    unreferenced_since timestamptz,
    PRIMARY KEY (workspace_id, media_id),
    CHECK (state <> 'stored' OR num_nulls(size_bytes, sha256, width, height) = 0)
)
"""
POST = """
CREATE TABLE post (
    workspace_id uuid NOT NULL,
    post_id uuid NOT NULL,
    title text NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'submitted', 'approved', 'changes_requested')),
    revision_id uuid NOT NULL,
    number integer NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, post_id)
)
"""
REVISION = """
CREATE TABLE revision (
    workspace_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    post_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    created_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, revision_id),
    UNIQUE (workspace_id, post_id, number),
    FOREIGN KEY (workspace_id, post_id) REFERENCES post
)
"""
# `settings` is json, not jsonb: the content hash covers numbers as they were written, and jsonb rewrites them.
VARIANT = """
CREATE TABLE variant (
    workspace_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    position smallint NOT NULL,
    connection_id uuid NOT NULL,
    platform text NOT NULL,
    text text NOT NULL,
    settings json NOT NULL,
    PRIMARY KEY (workspace_id, revision_id, position),
    UNIQUE (workspace_id, revision_id, connection_id),
    FOREIGN KEY (workspace_id, revision_id) REFERENCES revision
)
"""
VARIANT_MEDIA = """
CREATE TABLE variant_media (
    workspace_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    variant_position smallint NOT NULL,
    position smallint NOT NULL,
    media_id uuid NOT NULL,
    alt_text text NOT NULL,
    PRIMARY KEY (workspace_id, revision_id, variant_position, position),
    FOREIGN KEY (workspace_id, revision_id, variant_position) REFERENCES variant,
    FOREIGN KEY (workspace_id, media_id) REFERENCES media
)
"""
SEAL = """
CREATE TABLE seal (
    workspace_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    content_hash text NOT NULL,
    approved_by uuid NOT NULL,
    approved_at timestamptz NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (workspace_id, revision_id),
    FOREIGN KEY (workspace_id, revision_id) REFERENCES revision
)
"""
DECISION = """
CREATE TABLE decision (
    workspace_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    post_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    step text NOT NULL CHECK (step IN ('submitted', 'approved', 'changes_requested', 'approval_withdrawn')),
    decided_by uuid,
    decided_at timestamptz NOT NULL,
    comment text NOT NULL,
    PRIMARY KEY (workspace_id, post_id, decision_id),
    FOREIGN KEY (workspace_id, revision_id) REFERENCES revision
)
"""
PUBLICATION = """
CREATE TABLE publication (
    workspace_id uuid NOT NULL,
    post_id uuid NOT NULL,
    publication_id uuid NOT NULL,
    revision_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    platform text NOT NULL,
    state text NOT NULL CHECK (state IN ('published', 'failed', 'needs_attention', 'cancelled')),
    finality smallint NOT NULL,
    code text,
    published_at timestamptz,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, post_id, publication_id),
    FOREIGN KEY (workspace_id, post_id) REFERENCES post
)
"""
TABLES = {
    "media": MEDIA,
    "post": POST,
    "revision": REVISION,
    "variant": VARIANT,
    "variant_media": VARIANT_MEDIA,
    "seal": SEAL,
    "decision": DECISION,
    "publication": PUBLICATION,
}
INDEXES = (
    "CREATE INDEX media_unreferenced ON media (unreferenced_since) WHERE unreferenced_since IS NOT NULL",
    # Asked when a post lets go of its media, and by the foreign key when media are removed.
    "CREATE INDEX variant_media_of_media ON variant_media (workspace_id, media_id)",
    "CREATE INDEX decision_of_revision ON decision (workspace_id, revision_id)",
)


def upgrade() -> None:
    for table, statement in TABLES.items():
        op.execute(statement)
        schema.protect(table, "content")
    for statement in INDEXES:
        op.execute(statement)
    schema.create_messaging("content")
