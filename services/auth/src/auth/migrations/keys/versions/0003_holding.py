"""Who erases keys holds them first, and PostgreSQL lets only those do so who may change a column. The policy of the
worker's role lets it change none all the same."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("GRANT UPDATE (created_at) ON grant_key TO auth_keys_worker")
