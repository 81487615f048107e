"""The keys that open stored grants, and the least rights with which auth can do its work.

The serving role inserts, and reads and deletes by id through functions that take few ids at a time: without knowing an
id it sees nothing. The worker's role lists and deletes, but cannot read what it lists. Re-wrapping is the owner's.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

STORE = "auth_keys"

_TABLE = (
    """
    CREATE TABLE grant_key (
        data_key_id uuid PRIMARY KEY,
        connection_id uuid NOT NULL,
        workspace_id uuid NOT NULL,
        wrapped_key bytea NOT NULL,
        key_id text NOT NULL,
        created_at timestamptz NOT NULL,
        wrapped_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX grant_key_connection ON grant_key (connection_id)",
    "CREATE INDEX grant_key_workspace ON grant_key (workspace_id)",
    "CREATE INDEX grant_key_key_id ON grant_key (key_id, data_key_id)",
    "ALTER TABLE grant_key ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE grant_key FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY adding ON grant_key FOR INSERT TO {STORE} WITH CHECK (true)",
    f"CREATE POLICY worker ON grant_key TO {STORE}_worker USING (true) WITH CHECK (false)",
    f"CREATE POLICY owner ON grant_key TO {STORE}_owner USING (true) WITH CHECK (true)",
    f"GRANT INSERT ON grant_key TO {STORE}",
    f"GRANT SELECT (ctid, data_key_id, connection_id, workspace_id, created_at), DELETE ON grant_key TO {STORE}_worker",
    f"GRANT SELECT ON alembic_version TO {STORE}, {STORE}_worker",
)

# A request for leases names 100 connections at most; more at once would be somebody else.
_FUNCTIONS = (
    """
    CREATE FUNCTION keys_of(ids uuid[]) RETURNS TABLE (data_key_id uuid, wrapped_key bytea, key_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF cardinality(ids) > 200 THEN RAISE EXCEPTION 'too many keys at once'; END IF;
        RETURN QUERY SELECT k.data_key_id, k.wrapped_key, k.key_id FROM grant_key k WHERE k.data_key_id = ANY(ids);
    END
    $$
    """,
    """
    CREATE FUNCTION destroy_keys(ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DELETE FROM grant_key k WHERE k.data_key_id = ANY(ids)
    $$
    """,
)


def upgrade() -> None:
    for statement in (*_TABLE, *_FUNCTIONS):
        op.execute(statement)
    for signature in ("keys_of(uuid[])", "destroy_keys(uuid[])"):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {STORE}")
