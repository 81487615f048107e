"""Who decided what; attempts before that do not count; how old a journal is."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE publication ADD COLUMN forgiven integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE history ADD COLUMN actor uuid")
    op.execute("CREATE INDEX history_actor ON history (actor) WHERE actor IS NOT NULL")
    op.execute("ALTER TABLE journal ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now()")
    op.execute("CREATE INDEX journal_recorded_at ON journal (recorded_at)")
