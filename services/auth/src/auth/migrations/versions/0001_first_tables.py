"""Accounts, sessions, workspaces, members, connections and the vault, all under forced row level security.

Sign-in and sessions start from something only their owner knows, before it is known who calls. For these
moments there are three functions that run with the owner's sight and give away one row at most, so that
the serving role itself never sees an account, a password hash or a session that is not the caller's.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0001"
down_revision = None

SERVICE = "auth"

_PEOPLE = (
    """
    CREATE TABLE account (
        account_id uuid PRIMARY KEY,
        email text NOT NULL,
        full_name text,
        company text,
        time_zone text NOT NULL,
        language text NOT NULL,
        age_attested_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        deleted_at timestamptz,
        closing_until timestamptz
    )
    """,
    # An address is free again as soon as its account is deleted, before the row is erased.
    "CREATE UNIQUE INDEX account_email ON account (email) WHERE deleted_at IS NULL",
    "CREATE INDEX account_closing ON account (closing_until) WHERE closing_until IS NOT NULL",
    """
    CREATE TABLE credential (
        account_id uuid PRIMARY KEY REFERENCES account,
        password_hash text NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE session (
        session_id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES account,
        token_hash bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX session_account ON session (account_id)",
    "CREATE INDEX session_expires_at ON session (expires_at)",
    "CREATE INDEX session_last_used_at ON session (last_used_at)",
)

_WORKSPACES = (
    """
    CREATE TABLE workspace (
        workspace_id uuid PRIMARY KEY,
        name text NOT NULL,
        time_zone text NOT NULL,
        created_at timestamptz NOT NULL,
        deleted_at timestamptz,
        closed_by uuid
    )
    """,
    "CREATE INDEX workspace_closed_by ON workspace (closed_by) WHERE closed_by IS NOT NULL",
    """
    CREATE TABLE member (
        workspace_id uuid NOT NULL REFERENCES workspace,
        account_id uuid NOT NULL REFERENCES account,
        role text NOT NULL,
        added_at timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, account_id)
    )
    """,
    "CREATE INDEX member_account ON member (account_id)",
)

_CONNECTIONS = (
    """
    CREATE TABLE connection (
        connection_id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES workspace,
        platform text NOT NULL,
        state text NOT NULL CHECK (state IN ('active', 'ending', 'reauth_required', 'revoked')),
        external_id text,
        union_id text,
        handle text,
        display_name text,
        avatar_url text,
        account_type text,
        scopes text[],
        expires_at timestamptz,
        established_at timestamptz NOT NULL,
        refresh_at timestamptz,
        refresh_attempts integer NOT NULL DEFAULT 0,
        refreshing_until timestamptz,
        ending_reason text,
        ending_until timestamptz,
        revoked_at timestamptz,
        platform_confirmed boolean,
        erasure_id uuid
    )
    """,
    "CREATE UNIQUE INDEX connection_external ON connection (workspace_id, platform, external_id)"
    " WHERE state IN ('active', 'reauth_required')",
    "CREATE INDEX connection_workspace ON connection (workspace_id)",
    "CREATE INDEX connection_refresh_at ON connection (refresh_at) WHERE state = 'active'",
    "CREATE INDEX connection_ending_until ON connection (ending_until) WHERE state = 'ending'",
    """
    CREATE TABLE authorisation (
        state_hash bytea PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES workspace,
        account_id uuid NOT NULL REFERENCES account,
        platform text NOT NULL,
        wrapped_key bytea NOT NULL,
        key_id text NOT NULL,
        nonce bytea NOT NULL,
        ciphertext bytea NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX authorisation_workspace ON authorisation (workspace_id)",
    "CREATE INDEX authorisation_account ON authorisation (account_id)",
    "CREATE INDEX authorisation_expires_at ON authorisation (expires_at)",
)

_VAULT = (
    # The ciphertext and the key that opens it are two tables, so that losing one of them destroys both.
    """
    CREATE TABLE sealed_grant (
        connection_id uuid PRIMARY KEY REFERENCES connection,
        workspace_id uuid NOT NULL,
        generation integer NOT NULL,
        nonce bytea NOT NULL,
        ciphertext bytea NOT NULL,
        sealed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX sealed_grant_workspace ON sealed_grant (workspace_id)",
    """
    CREATE TABLE data_key (
        connection_id uuid PRIMARY KEY REFERENCES connection,
        workspace_id uuid NOT NULL,
        wrapped_key bytea NOT NULL,
        key_id text NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX data_key_workspace ON data_key (workspace_id)",
    """
    CREATE TABLE lease (
        lease_id uuid PRIMARY KEY,
        connection_id uuid NOT NULL REFERENCES connection,
        workspace_id uuid NOT NULL,
        borrower text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX lease_connection ON lease (connection_id)",
    "CREATE INDEX lease_workspace ON lease (workspace_id)",
    "CREATE INDEX lease_expires_at ON lease (expires_at)",
)

_FUNCTIONS = (
    """
    CREATE FUNCTION credential_of(address text) RETURNS TABLE (account_id uuid, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT c.account_id, c.password_hash FROM credential c JOIN account a USING (account_id)
        WHERE a.email = address AND a.deleted_at IS NULL
    $$
    """,
    """
    CREATE FUNCTION account_of(address text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT a.account_id FROM account a WHERE a.email = address AND a.deleted_at IS NULL
    $$
    """,
    """
    CREATE FUNCTION holder_of(hash bytea, workspace uuid)
    RETURNS TABLE (session_id uuid, account_id uuid, last_used_at timestamptz, expires_at timestamptz, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT s.session_id, s.account_id, s.last_used_at, s.expires_at,
               (SELECT m.role FROM member m JOIN workspace w USING (workspace_id)
                WHERE m.workspace_id = workspace AND m.account_id = s.account_id AND w.deleted_at IS NULL)
        FROM session s WHERE s.token_hash = hash
    $$
    """,
)

_SHARES_WORKSPACE = """EXISTS (
    SELECT 1 FROM member m WHERE m.account_id = account.account_id
    AND m.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
)"""
_IS_MEMBER = """EXISTS (
    SELECT 1 FROM member m WHERE m.workspace_id = workspace.workspace_id
    AND m.account_id = nullif(current_setting('app.account_id', true), '')::uuid
)"""


def upgrade() -> None:
    schema.create_messaging(SERVICE)
    for statement in (*_PEOPLE, *_WORKSPACES, *_CONNECTIONS, *_VAULT):
        op.execute(statement)
    _protect()
    for statement in _FUNCTIONS:
        op.execute(statement)
    for signature in ("credential_of(text)", "account_of(text)", "holder_of(bytea, uuid)"):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SERVICE}")


def _protect() -> None:
    """A person sees their own rows and the people, names and rows of the workspace they act in."""
    schema.protect("account", SERVICE, visible=f"{schema.ACCOUNT} OR {_SHARES_WORKSPACE}", writable=schema.ACCOUNT)
    for table in ("credential", "session"):
        schema.protect(table, SERVICE, visible=schema.ACCOUNT)
    schema.protect("workspace", SERVICE, visible=f"{schema.WORKSPACE} OR {_IS_MEMBER}", writable=schema.WORKSPACE)
    either = f"{schema.WORKSPACE} OR {schema.ACCOUNT}"
    schema.protect("member", SERVICE, visible=either, writable=schema.WORKSPACE)
    schema.protect("authorisation", SERVICE, visible=either)
    for table in ("connection", "sealed_grant", "data_key", "lease"):
        schema.protect(table, SERVICE)
    # What a request sees beyond its own rows it may not take away; only loops and erasures delete these.
    op.execute(f"REVOKE DELETE ON account, workspace, member, connection, sealed_grant, data_key, lease FROM {SERVICE}")
