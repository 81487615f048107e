"""Grants name their key, which lies in the database of keys.

The keys that `data_key` holds cannot be moved by a migration, which knows one database only: auth moves them while it
runs. Until its key is moved a grant has no `data_key_id`, and afterwards `data_key` stays empty.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE sealed_grant ADD COLUMN data_key_id uuid")
    op.execute("CREATE INDEX sealed_grant_data_key ON sealed_grant (data_key_id)")
