"""By which release of the time zone database the instant of a schedule was worked out."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Releases are compared as texts, byte by byte. Of rows that were there it is not known: any release is later.
    op.execute("ALTER TABLE schedule ADD COLUMN zone_version text COLLATE \"C\" NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX schedule_zone_version ON schedule (zone_version) WHERE state IN ('scheduled', 'paused')")
