"""What Alembic's env.py does, the same in every service: one transaction, as the owner, under a lock."""

from __future__ import annotations

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool, text


def run() -> None:
    """Run the migrations on the connection that `kit.migrations.upgrade` named."""
    owner_url = context.config.attributes["owner_url"]
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(owner_url.reveal()),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=False)
        with context.begin_transaction():
            # Two jobs that migrate at once take turns; the second finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrations'))"))
            context.run_migrations()
