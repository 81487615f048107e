"""Identities that an external OpenID provider vouches for, and people on their way to one.

Who comes back from a provider is not known yet, so what they left behind and whom they are is found by functions
that run with the owner's sight, one row at most, and only for who knows the secrets or the provider's word.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0005"
down_revision = "0004"

SERVICE = "auth"

_TABLES = (
    """
    CREATE TABLE identity (
        identity_id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES account,
        issuer text NOT NULL,
        subject text NOT NULL,
        email text,
        linked_at timestamptz NOT NULL,
        UNIQUE (issuer, subject)
    )
    """,
    "CREATE INDEX identity_account ON identity (account_id)",
    """
    CREATE TABLE openid_start (
        state_hash bytea PRIMARY KEY,
        browser_hash bytea NOT NULL,
        provider text NOT NULL,
        purpose text NOT NULL,
        account_id uuid,
        session_id uuid,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX openid_start_account ON openid_start (account_id) WHERE account_id IS NOT NULL",
    "CREATE INDEX openid_start_expires_at ON openid_start (expires_at)",
    """
    CREATE TABLE openid_waiting (
        account_id uuid PRIMARY KEY,
        browser_hash bytea NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        email text NOT NULL,
        full_name text,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX openid_waiting_browser ON openid_waiting (browser_hash)",
    "CREATE INDEX openid_waiting_expires_at ON openid_waiting (expires_at)",
)

_FUNCTIONS = (
    """
    CREATE FUNCTION take_openid_start(state bytea, browser bytea)
    RETURNS TABLE (provider text, purpose text, account_id uuid, session_id uuid, expires_at timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DELETE FROM openid_start s WHERE s.state_hash = state AND s.browser_hash = browser
        RETURNING s.provider, s.purpose, s.account_id, s.session_id, s.expires_at
    $$
    """,
    """
    CREATE FUNCTION openid_waiting_of(browser bytea)
    RETURNS TABLE (account_id uuid, issuer text, subject text, email text, full_name text, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT w.account_id, w.issuer, w.subject, w.email, w.full_name, w.expires_at
        FROM openid_waiting w WHERE w.browser_hash = browser ORDER BY w.expires_at DESC LIMIT 1
    $$
    """,
    """
    CREATE FUNCTION owner_of_identity(of_issuer text, of_subject text) RETURNS TABLE (account_id uuid, state text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT a.account_id, a.state FROM identity i JOIN account a USING (account_id)
        WHERE i.issuer = of_issuer AND i.subject = of_subject AND a.deleted_at IS NULL
    $$
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.protect("identity", SERVICE, visible=schema.ACCOUNT)
    schema.protect("openid_start", SERVICE, visible="false", writable="true")
    schema.protect("openid_waiting", SERVICE, visible=schema.ACCOUNT, writable="true")
    for statement in _FUNCTIONS:
        op.execute(statement)
    for signature in (
        "take_openid_start(bytea, bytea)",
        "openid_waiting_of(bytea)",
        "owner_of_identity(text, text)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SERVICE}")
