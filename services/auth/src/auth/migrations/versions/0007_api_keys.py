"""Keys for programs.

A key hangs on the membership of the person who made it, and goes with it. It is found by whoever shows its secret; a
function looks, for before that it is not known who asks.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0007"
down_revision = "0006"

SERVICE = "auth"

_TABLES = (
    """
    CREATE TABLE api_key (
        key_id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL,
        account_id uuid NOT NULL,
        name text NOT NULL,
        prefix text NOT NULL,
        permissions text[] NOT NULL,
        connection_ids uuid[],
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        last_used_at timestamptz,
        revoked_at timestamptz,
        FOREIGN KEY (workspace_id, account_id) REFERENCES member ON DELETE CASCADE
    )
    """,
    "CREATE INDEX api_key_member ON api_key (workspace_id, account_id)",
    "CREATE INDEX api_key_account ON api_key (account_id)",
    "CREATE INDEX api_key_ended ON api_key (least(revoked_at, expires_at))",
    """
    CREATE TABLE api_key_secret (
        key_hash bytea PRIMARY KEY,
        workspace_id uuid NOT NULL,
        key_id uuid NOT NULL REFERENCES api_key ON DELETE CASCADE,
        pepper_id text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX api_key_secret_key ON api_key_secret (key_id)",
    "CREATE INDEX api_key_secret_workspace ON api_key_secret (workspace_id)",
    "CREATE INDEX api_key_secret_expires_at ON api_key_secret (expires_at)",
)

_HOLDER = """
    CREATE FUNCTION key_holder_of(hashes bytea[])
    RETURNS TABLE (
        key_id uuid, account_id uuid, workspace_id uuid, permissions text[], connection_ids uuid[],
        last_used_at timestamptz, expires_at timestamptz, role text, key_hash bytea, pepper_id text
    )
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.key_id, k.account_id, k.workspace_id, k.permissions, k.connection_ids,
               k.last_used_at, s.expires_at, m.role, s.key_hash, s.pepper_id
        FROM api_key_secret s
        JOIN api_key k USING (key_id)
        JOIN member m ON m.workspace_id = k.workspace_id AND m.account_id = k.account_id
        JOIN workspace w ON w.workspace_id = k.workspace_id
        JOIN account a ON a.account_id = k.account_id
        WHERE s.key_hash = ANY (hashes) AND k.revoked_at IS NULL AND w.deleted_at IS NULL AND a.deleted_at IS NULL
        LIMIT 1
    $$
"""


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    for table in ("api_key", "api_key_secret"):
        schema.protect(table, SERVICE)
    op.execute(f"REVOKE DELETE ON api_key FROM {SERVICE}")
    op.execute(_HOLDER)
    op.execute("REVOKE ALL ON FUNCTION key_holder_of(bytea[]) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION key_holder_of(bytea[]) TO {SERVICE}")
