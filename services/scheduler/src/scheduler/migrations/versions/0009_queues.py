"""Queues: the weekly slots of a connection."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0009"
down_revision = "0008"

_QUEUE = """
CREATE TABLE queue (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    time_zone text NOT NULL,
    slots smallint[] NOT NULL,
    PRIMARY KEY (workspace_id, connection_id)
)
"""


def upgrade() -> None:
    op.execute(_QUEUE)
    schema.protect("queue", "scheduler")
