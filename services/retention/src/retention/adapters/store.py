"""Everything retention stores, in one transaction."""

from __future__ import annotations

from kit.database import Transaction

from retention.adapters.backups import PostgresBackups
from retention.adapters.erasures import PostgresErasures


class PostgresStore(PostgresErasures, PostgresBackups):
    """`retention.ports.Store` on one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        PostgresErasures.__init__(self, transaction)
        PostgresBackups.__init__(self, transaction)
