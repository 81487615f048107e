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

_FUNCTIONS = (
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
        FROM security_event e WHERE e.account_id = account AND e.kind = 'signed_in' AND e.occurred_at > since
    $$
    """,
)


def upgrade() -> None:
    for statement in (*_SESSIONS, *_SECURITY):
        op.execute(statement)
    # What was noted stays as it is: a person reads their log, and nobody who has their session can clean it.
    schema.protect("security_event", SERVICE, visible=schema.ACCOUNT, writable="true")
    op.execute(f"REVOKE UPDATE, DELETE ON security_event FROM {SERVICE}")
    schema.protect("attempt", SERVICE, visible="false")
    for statement in _FUNCTIONS:
        op.execute(statement)
    for signature in (
        "attempt_of(bytea)",
        "note_attempt(bytea, uuid, integer, timestamptz, timestamptz)",
        "forgive_attempt(bytea, boolean)",
        "familiarity(uuid, text, text, timestamptz)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {SERVICE}")
