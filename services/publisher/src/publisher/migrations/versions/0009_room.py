"""Room in the pages of publications: a change that touches no index stays in its page. A burst is made of them."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE publication SET (fillfactor = 80)")
