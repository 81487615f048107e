"""What proving who one is works with."""

from __future__ import annotations

from dataclasses import dataclass

from auth.ports.people import PasswordHashes
from auth.ports.sign_in import Hide
from auth.ports.store import Transactions


@dataclass(frozen=True)
class Means:
    """Handed to every use case that takes a password or a second factor."""

    transactions: Transactions
    hashes: PasswordHashes
    hide: Hide
