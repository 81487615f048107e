"""What Alembic runs."""

from __future__ import annotations

from kit.migration_environment import run

run()
