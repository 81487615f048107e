"""What every part of the store is made from."""

from __future__ import annotations

from kit.database import Transaction


class Rows:
    """Rows of one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
