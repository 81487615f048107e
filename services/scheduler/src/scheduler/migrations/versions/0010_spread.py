"""How far apart posts of one connection must go out: a rule of the workspace."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("CREATE TABLE spread (workspace_id uuid PRIMARY KEY, apart interval NOT NULL)")
    schema.protect("spread", "scheduler")
