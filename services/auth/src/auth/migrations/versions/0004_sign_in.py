"""How people prove who they are, and from where.

As with passwords, some of it is asked for before it is known who calls: these functions answer for one key that only
the asker can know, or for one account, with one row at most.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0004"
down_revision = "0003"

SERVICE = "auth"

_SESSIONS = (
    """
    ALTER TABLE session
        ADD COLUMN proved_at timestamptz,
        ADD COLUMN strong boolean NOT NULL DEFAULT false,
        ADD COLUMN device text,
        ADD COLUMN client_address text
    """,
)

_SECURITY = (
    """
    CREATE TABLE security_event (
        event_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        kind text NOT NULL,
        occurred_at timestamptz NOT NULL,
        session_id uuid,
        client_address text,
        client_network text,
        device text,
        user_agent text
    )
    """,
    "CREATE INDEX security_event_account ON security_event (account_id, occurred_at, event_id)",
    "CREATE INDEX security_event_occurred_at ON security_event (occurred_at)",
    "CREATE INDEX security_event_place ON security_event (occurred_at) WHERE client_network IS NOT NULL",
    """
    CREATE TABLE attempt (
        key bytea PRIMARY KEY,
        account_id uuid,
        failures integer NOT NULL,
        failed_at timestamptz,
        blocked_until timestamptz
    )
    """,
    "CREATE INDEX attempt_failed_at ON attempt (failed_at)",
    "CREATE INDEX attempt_account ON attempt (account_id)",
)

_FACTORS = (
    """
    CREATE TABLE totp (
        account_id uuid PRIMARY KEY REFERENCES account,
        data_key_id uuid NOT NULL,
        nonce bytea NOT NULL,
        ciphertext bytea NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        last_step bigint
    )
    """,
    "CREATE INDEX totp_data_key ON totp (data_key_id)",
    """
    CREATE TABLE passkey (
        passkey_id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES account,
        credential_id bytea NOT NULL UNIQUE,
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL,
        backed_up boolean NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX passkey_account ON passkey (account_id)",
    """
    CREATE TABLE recovery_code (
        account_id uuid NOT NULL REFERENCES account,
        code_hash bytea NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (account_id, code_hash)
    )
    """,
    # Of nobody while a passkey is asked for that will say whose it is.
    """
    CREATE TABLE ceremony (
        token_hash bytea PRIMARY KEY,
        account_id uuid,
        purpose text NOT NULL,
        challenge bytea NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ceremony_account ON ceremony (account_id)",
    "CREATE INDEX ceremony_expires_at ON ceremony (expires_at)",
)

_FUNCTIONS = (
    """
    CREATE FUNCTION ceremony_of(hash bytea) RETURNS SETOF ceremony
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT * FROM ceremony WHERE token_hash = hash
    $$
    """,
    """
    CREATE FUNCTION end_ceremony(hash bytea) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        WITH ended AS (DELETE FROM ceremony WHERE token_hash = hash RETURNING 1) SELECT count(*) > 0 FROM ended
    $$
    """,
    """
    CREATE FUNCTION passkey_of(credential bytea)
    RETURNS TABLE (credential_id bytea, account_id uuid, public_key bytea, sign_count bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT p.credential_id, p.account_id, p.public_key, p.sign_count
        FROM passkey p JOIN account a USING (account_id)
        WHERE p.credential_id = credential AND a.deleted_at IS NULL
    $$
    """,
    # Creates the row, so that the first two of a kind wait for each other too.
    """
    CREATE FUNCTION attempt_of(hash bytea) RETURNS TABLE (
        failures integer, failed_at timestamptz, blocked_until timestamptz
    )
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        INSERT INTO attempt AS a (key, failures) VALUES (hash, 0) ON CONFLICT (key) DO UPDATE SET key = excluded.key
        RETURNING a.failures, a.failed_at, a.blocked_until
    $$
    """,
    """
    CREATE FUNCTION note_attempt(
        hash bytea, account uuid, failed integer, at timestamptz, blocked timestamptz
    ) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        UPDATE attempt SET account_id = account, failures = failed, failed_at = at, blocked_until = blocked
        WHERE key = hash
    $$
    """,
    """
    CREATE FUNCTION forgive_attempt(hash bytea, one boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        UPDATE attempt SET failures = CASE WHEN one THEN greatest(failures - 1, 0) ELSE 0 END, blocked_until = NULL
        WHERE key = hash
    $$
    """,
    """
    CREATE FUNCTION familiarity(account uuid, network text, kind_of_device text, since timestamptz) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT CASE WHEN count(*) = 0 THEN 'first'
                    WHEN bool_or(e.client_network = network AND e.device = kind_of_device) THEN 'familiar'
                    ELSE 'new' END
        FROM security_event e
        WHERE e.account_id = account AND e.kind IN ('signed_in', 'password_changed') AND e.occurred_at > since
    $$
    """,
)


def upgrade() -> None:
    for statement in (*_SESSIONS, *_SECURITY, *_FACTORS):
        op.execute(statement)
    # What was noted stays as it is: a person reads their log, and nobody who has their session can clean it.
    schema.protect("security_event", SERVICE, visible=schema.ACCOUNT, writable="true")
    op.execute(f"REVOKE UPDATE, DELETE ON security_event FROM {SERVICE}")
    schema.protect("attempt", SERVICE, visible="false")
    for table in ("totp", "passkey", "recovery_code"):
        schema.protect(table, SERVICE, visible=schema.ACCOUNT)
    schema.protect("ceremony", SERVICE, visible=schema.ACCOUNT, writable=f"account_id IS NULL OR {schema.ACCOUNT}")
    for statement in _FUNCTIONS:
        op.execute(statement)
    for signature in (
        "attempt_of(bytea)",
        "note_attempt(bytea, uuid, integer, timestamptz, timestamptz)",
        "forgive_attempt(bytea, boolean)",
        "familiarity(uuid, text, text, timestamptz)",
        "ceremony_of(bytea)",
        "end_ceremony(bytea)",
        "passkey_of(bytea)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SERVICE}")
