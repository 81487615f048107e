"""Organisations that own workspaces, a workspace's settings, and invitations.

Workspaces that are there already go to an organisation of their first owner, one for each such person. It is named
after their company, or else after their first workspace.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0006"
down_revision = "0005"

SERVICE = "auth"

_TABLES = (
    """
    CREATE TABLE organisation (
        organisation_id uuid PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        closed_by uuid
    )
    """,
    "CREATE INDEX organisation_closed_by ON organisation (closed_by) WHERE closed_by IS NOT NULL",
    """
    CREATE TABLE organisation_member (
        organisation_id uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
        account_id uuid NOT NULL REFERENCES account,
        role text NOT NULL CHECK (role IN ('owner', 'admin')),
        added_at timestamptz NOT NULL,
        PRIMARY KEY (organisation_id, account_id)
    )
    """,
    "CREATE INDEX organisation_member_account ON organisation_member (account_id)",
    # A workspace that is closed may outlast its organisation by the moment between two erasures.
    """
    ALTER TABLE workspace
        ADD organisation_id uuid REFERENCES organisation ON DELETE SET NULL,
        ADD voice_guidelines text NOT NULL DEFAULT '',
        ADD second_factor_required boolean NOT NULL DEFAULT false,
        ADD closing_until timestamptz
    """,
    "CREATE INDEX workspace_organisation ON workspace (organisation_id)",
    "CREATE INDEX workspace_closing ON workspace (closing_until) WHERE closing_until IS NOT NULL",
    """
    CREATE TABLE invitation (
        invitation_id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES workspace,
        address text NOT NULL,
        role text NOT NULL,
        invited_by uuid NOT NULL REFERENCES account,
        invited_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        UNIQUE (workspace_id, address)
    )
    """,
    "CREATE INDEX invitation_invited_by ON invitation (invited_by)",
    "CREATE INDEX invitation_address ON invitation (address)",
    "CREATE INDEX invitation_expires_at ON invitation (expires_at)",
    """
    CREATE TABLE invitation_count (
        account_id uuid PRIMARY KEY REFERENCES account,
        day date NOT NULL,
        letters integer NOT NULL
    )
    """,
)

_FIRST_ORGANISATIONS = """
    WITH first_owner AS (
        SELECT DISTINCT ON (w.workspace_id) w.workspace_id, w.name, w.created_at, m.account_id
        FROM workspace w JOIN member m USING (workspace_id) JOIN account a USING (account_id)
        WHERE m.role = 'owner' AND w.deleted_at IS NULL AND a.deleted_at IS NULL
        ORDER BY w.workspace_id, m.added_at, m.account_id
    ), theirs AS (
        SELECT DISTINCT ON (f.account_id) gen_random_uuid() AS organisation_id, f.account_id, f.created_at,
               coalesce(a.company, f.name) AS name
        FROM first_owner f JOIN account a USING (account_id)
        ORDER BY f.account_id, f.created_at, f.workspace_id
    ), opened AS (
        INSERT INTO organisation (organisation_id, name, created_at)
        SELECT organisation_id, name, created_at FROM theirs
    ), owned AS (
        INSERT INTO organisation_member (organisation_id, account_id, role, added_at)
        SELECT organisation_id, account_id, 'owner', created_at FROM theirs
    )
    UPDATE workspace w SET organisation_id = o.organisation_id
    FROM first_owner f JOIN theirs o USING (account_id) WHERE w.workspace_id = f.workspace_id
"""

# An organisation sees its workspaces' members only one by one, to who knows whom to ask for.
_WORKS_FOR = """
    CREATE FUNCTION works_for(person uuid, organisation uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT EXISTS (SELECT 1 FROM member m JOIN workspace w USING (workspace_id) JOIN account a USING (account_id)
                       WHERE m.account_id = person AND w.organisation_id = organisation
                       AND w.deleted_at IS NULL AND a.deleted_at IS NULL)
    $$
"""

# Besides the role, whether the workspace insists on a second factor that was not given in this session.
_HOLDER = (
    "DROP FUNCTION holder_of(bytea, uuid)",
    """
    CREATE FUNCTION holder_of(hash bytea, workspace uuid) RETURNS TABLE (
        session_id uuid, account_id uuid, last_used_at timestamptz, expires_at timestamptz, role text,
        second_factor_missing boolean
    )
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT s.session_id, s.account_id, s.last_used_at, s.expires_at, m.role,
               coalesce(w.second_factor_required AND NOT s.strong, false)
        FROM session s LEFT JOIN (
            member m JOIN workspace w ON w.workspace_id = m.workspace_id AND w.deleted_at IS NULL
        ) ON m.workspace_id = workspace AND m.account_id = s.account_id
        WHERE s.token_hash = hash
    $$
    """,
)

_OWN_ORGANISATION = """EXISTS (
    SELECT 1 FROM organisation_member m WHERE m.organisation_id = organisation.organisation_id
    AND m.account_id = nullif(current_setting('app.account_id', true), '')::uuid
)"""
_SHARES_ORGANISATION = """EXISTS (
    SELECT 1 FROM organisation_member m WHERE m.account_id = account.account_id
    AND m.organisation_id = nullif(current_setting('app.organisation_id', true), '')::uuid
)"""


def upgrade() -> None:
    for statement in (*_TABLES, _FIRST_ORGANISATIONS, _WORKS_FOR, *_HOLDER):
        op.execute(statement)
    _protect()
    for signature in ("works_for(uuid, uuid)", "holder_of(bytea, uuid)"):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SERVICE}")


def _protect() -> None:
    either = f"{schema.ORGANISATION} OR {schema.ACCOUNT}"
    schema.protect("organisation_member", SERVICE, visible=either, writable=schema.ORGANISATION)
    own = f"{schema.ORGANISATION} OR {_OWN_ORGANISATION}"
    schema.protect("organisation", SERVICE, visible=own, writable=schema.ORGANISATION)
    schema.protect("invitation", SERVICE)
    schema.protect("invitation_count", SERVICE, visible=schema.ACCOUNT)
    op.execute(f"REVOKE DELETE ON organisation FROM {SERVICE}")
    # Who runs an organisation sees who else does and what its workspaces are called.
    op.execute(f"CREATE POLICY colleague ON account FOR SELECT TO {SERVICE} USING ({_SHARES_ORGANISATION})")
    op.execute(f"CREATE POLICY owned ON workspace FOR SELECT TO {SERVICE} USING ({schema.ORGANISATION})")
    # Members leave and are removed. A request sees its person's rows of other workspaces too, and may not take those.
    op.execute(f"GRANT DELETE ON member TO {SERVICE}")
    for table, rows in (("member", schema.WORKSPACE), ("organisation_member", schema.ORGANISATION)):
        op.execute(f"CREATE POLICY removal ON {table} AS RESTRICTIVE FOR DELETE TO {SERVICE} USING ({rows})")
