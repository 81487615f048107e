"""What every service's migrations say in the same words: messaging tables, row level security, grants.

Three roles a service: `<service>` logs in and serves requests, `<service>_worker` is taken on inside a
transaction by loops and event handlers, `<service>_owner` owns the tables and migrates them. The first two
own nothing, so forced row level security holds for them.
"""

from __future__ import annotations

from alembic import op

from kit import erasure, held, inbox, leadership, outbox

WORKSPACE = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
"""The rows of the transaction's workspace. Written out, not wrapped: the planner must see the value."""

ACCOUNT = "account_id = nullif(current_setting('app.account_id', true), '')::uuid"
"""The rows of the transaction's person."""

ORGANISATION = "organisation_id = nullif(current_setting('app.organisation_id', true), '')::uuid"
"""The rows of the transaction's organisation."""


def create_messaging(service: str) -> None:
    """The outbox, the inbox and the erasure tasks."""
    for statement in (outbox.TABLE, outbox.TUNING, inbox.TABLE, inbox.INDEX, erasure.TABLE):
        op.execute(statement)
    for table in ("outbox", "inbox", "erasure_task"):
        grant(table, service)
    op.execute(f"GRANT SELECT ON alembic_version TO {service}, {service}_worker")


def create_consuming(service: str) -> None:
    """Where events wait for another attempt, and which lead is the present one."""
    for statement in (held.TABLE, held.INDEX, leadership.TABLE, leadership.FIRST):
        op.execute(statement)
    for table in ("held_event", "consumer_lead"):
        grant(table, service)


def protect(table: str, service: str, *, visible: str = WORKSPACE, writable: str | None = None) -> None:
    """Put a tenant's table under forced row level security.

    `visible` is the condition under which a request sees a row, `writable` the one under which it may
    write it (default: the same).
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} TO {service} USING ({visible}) WITH CHECK ({writable or visible})")
    op.execute(f"CREATE POLICY worker ON {table} TO {service}_worker USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY owner ON {table} TO {service}_owner USING (true) WITH CHECK (true)")
    grant(table, service)


def grant(table: str, service: str) -> None:
    """Let the serving roles read and write a table."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {service}, {service}_worker")
