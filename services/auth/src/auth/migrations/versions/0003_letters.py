"""Mail on its way, the proofs that it carries, and what comes with them: states of accounts, and photos.

A request writes letters and reads none. A proof is found by whoever shows its token; functions look, for before that
it is not known who asks. A sign-up is an account of its own until its address is verified, so that several may name
the same address and none of them holds it: it belongs to whoever reads its mail.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0003"
down_revision = "0002"

SERVICE = "auth"

_TABLES = (
    """
    CREATE TABLE letter (
        letter_id uuid PRIMARY KEY,
        kind text NOT NULL,
        address text NOT NULL,
        account_id uuid,
        workspace_id uuid,
        facts jsonb NOT NULL,
        subject_id uuid,
        written_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        attempts integer NOT NULL
    )
    """,
    "CREATE INDEX letter_due_at ON letter (due_at)",
    "CREATE INDEX letter_account ON letter (account_id)",
    "CREATE INDEX letter_address ON letter (address)",
    """
    CREATE TABLE letter_sent (
        letter_id uuid PRIMARY KEY,
        kind text NOT NULL,
        address text NOT NULL,
        account_id uuid,
        sent_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX letter_sent_address ON letter_sent (address)",
    "CREATE INDEX letter_sent_account ON letter_sent (account_id)",
    """
    CREATE TABLE proof (
        token_hash bytea PRIMARY KEY,
        purpose text NOT NULL,
        subject_id uuid NOT NULL,
        account_id uuid,
        workspace_id uuid,
        address text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX proof_subject ON proof (subject_id)",
    "CREATE INDEX proof_account ON proof (account_id)",
    "CREATE INDEX proof_expires_at ON proof (expires_at)",
)

_ACCOUNTS = (
    # Whoever is there already signed in by an address that nobody doubted.
    "ALTER TABLE account ADD COLUMN state text NOT NULL DEFAULT 'active'"
    " CHECK (state IN ('unverified', 'waiting', 'active'))",
    "ALTER TABLE account ALTER COLUMN state DROP DEFAULT",
    "DROP INDEX account_email",
    "CREATE UNIQUE INDEX account_email ON account (email) WHERE deleted_at IS NULL AND state <> 'unverified'",
    "CREATE INDEX account_unverified ON account (created_at) WHERE state = 'unverified'",
    "CREATE INDEX account_unverified_email ON account (email) WHERE state = 'unverified'",
    """
    CREATE TABLE photo (
        account_id uuid PRIMARY KEY REFERENCES account,
        image bytea NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
)

_FUNCTIONS = (
    "DROP FUNCTION credential_of(text)",
    """
    CREATE FUNCTION credential_of(address text) RETURNS TABLE (account_id uuid, password_hash text, state text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT c.account_id, c.password_hash, a.state FROM credential c JOIN account a USING (account_id)
        WHERE a.email = address AND a.deleted_at IS NULL AND a.state <> 'unverified'
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION account_of(address text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT a.account_id FROM account a
        WHERE a.email = address AND a.deleted_at IS NULL AND a.state <> 'unverified'
    $$
    """,
    """
    CREATE FUNCTION find_proof(hash bytea, meant text, moment timestamptz)
    RETURNS TABLE (subject_id uuid, account_id uuid, workspace_id uuid, address text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT p.subject_id, p.account_id, p.workspace_id, p.address FROM proof p
        WHERE p.token_hash = hash AND p.purpose = meant AND p.expires_at > moment
    $$
    """,
    # A letter that was sent twice left two proofs of one thing: taking one takes both.
    """
    CREATE FUNCTION take_proof(hash bytea, meant text, moment timestamptz)
    RETURNS TABLE (subject_id uuid, account_id uuid, workspace_id uuid, address text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        WITH taken AS (
            DELETE FROM proof p WHERE p.token_hash = hash AND p.purpose = meant AND p.expires_at > moment
            RETURNING p.subject_id, p.account_id, p.workspace_id, p.address
        ), others AS (
            DELETE FROM proof p USING taken t
            WHERE p.subject_id = t.subject_id AND p.purpose = meant AND p.token_hash <> hash
        )
        SELECT * FROM taken
    $$
    """,
    # Links on their way belong to the password and the address of before.
    """
    CREATE FUNCTION cancel_proofs(account uuid) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DELETE FROM proof p WHERE p.account_id = account AND p.purpose IN ('reset_password', 'change_address');
        DELETE FROM letter l WHERE l.kind IN ('reset_password', 'change_address') AND (l.account_id = account
            OR l.address = (SELECT a.email FROM account a WHERE a.account_id = account));
    $$
    """,
)

_SIGNATURES = (
    "credential_of(text)",
    "find_proof(bytea, text, timestamptz)",
    "take_proof(bytea, text, timestamptz)",
    "cancel_proofs(uuid)",
)

_SHARES_WORKSPACE = """EXISTS (
    SELECT 1 FROM member m WHERE m.account_id = photo.account_id
    AND m.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
)"""


def upgrade() -> None:
    for statement in (*_TABLES, *_ACCOUNTS, *_FUNCTIONS):
        op.execute(statement)
    for signature in _SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SERVICE}")
    schema.protect("letter", SERVICE, visible="false", writable="true")
    schema.protect("letter_sent", SERVICE, visible="false")
    schema.protect("proof", SERVICE, visible="false")
    schema.protect("photo", SERVICE, visible=f"{schema.ACCOUNT} OR {_SHARES_WORKSPACE}", writable=schema.ACCOUNT)
    # Whoever shares a workspace sees a photo; only the person takes it away.
    op.execute(f"CREATE POLICY own_only ON photo AS RESTRICTIVE FOR DELETE TO {SERVICE} USING ({schema.ACCOUNT})")
