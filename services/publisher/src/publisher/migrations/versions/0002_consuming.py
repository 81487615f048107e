"""Where events wait for another attempt, and which lead is the present one."""

from __future__ import annotations

from kit import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema.create_consuming("publisher")
