"""Alembic's entry point."""

from __future__ import annotations

from kit.migration_environment import run

run()
