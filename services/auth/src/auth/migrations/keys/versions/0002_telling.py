"""Who is told what is held about them is told when their key was wrapped, and by which key; never the key itself."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("GRANT SELECT (key_id, wrapped_at) ON grant_key TO auth_keys_worker")
