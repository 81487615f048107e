"""What publishing has spent of the platforms' rates, until when it is closed, and what a publication has paid."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0006"
down_revision = "0005"

_CONNECTION_BUDGET = """
CREATE TABLE connection_budget (
    connection_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    spent jsonb NOT NULL DEFAULT '{}',
    closed jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50)
"""

_APPLICATION_BUDGET = """
CREATE TABLE application_budget (
    platform text PRIMARY KEY,
    spent jsonb NOT NULL DEFAULT '{}',
    closed jsonb NOT NULL DEFAULT '{}',
    turns jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50)
"""


def upgrade() -> None:
    op.execute("ALTER TABLE publication ADD COLUMN paid jsonb")
    # Who waits for an application's budget is looked up while it is short.
    op.execute(
        "CREATE INDEX publication_budget ON publication (platform, workspace_id, connection_id) WHERE code = 'budget'"
    )
    op.execute(_CONNECTION_BUDGET)
    op.execute(_APPLICATION_BUDGET)
    op.execute("CREATE INDEX connection_budget_workspace ON connection_budget (workspace_id)")
    schema.protect("connection_budget", "publisher", writable="false")
    # It belongs to no workspace, but whose turn it is names those that wait: requests do not see that.
    op.execute("GRANT SELECT (platform, spent, closed) ON application_budget TO publisher")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON application_budget TO publisher_worker")
