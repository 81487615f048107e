"""Alembic's entry: everything it does is in kit."""

from __future__ import annotations

from kit.migration_environment import run

run()
