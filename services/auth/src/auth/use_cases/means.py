"""What proving who one is works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from auth.domain.openid import SignInElsewhere, SignInMode
from auth.domain.second_factors import PasskeysNotOffered
from auth.ports.people import PasswordHashes
from auth.ports.second_factors import Authenticators
from auth.ports.sign_in import Hide
from auth.ports.store import Transactions
from auth.ports.vault import Vault


@dataclass(frozen=True)
class Means:
    """Handed to every use case that takes a password or a second factor."""

    transactions: Transactions
    hashes: PasswordHashes
    hide: Hide
    vault: Vault
    offered_authenticators: Callable[[], Authenticators] | None
    sign_in: SignInMode = SignInMode.PASSWORD

    def check_own_sign_in(self) -> None:
        """Raise `SignInElsewhere` where signing in is left to providers: passwords and passkeys then open nothing."""
        if self.sign_in is SignInMode.OPENID:
            raise SignInElsewhere()

    @property
    def authenticators(self) -> Authenticators:
        """Raises `PasskeysNotOffered`."""
        if self.offered_authenticators is None:
            raise PasskeysNotOffered()
        return self.offered_authenticators()
