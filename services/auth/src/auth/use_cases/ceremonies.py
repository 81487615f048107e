"""Give out challenges, and find again what one was given out for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.secret import Secret

from auth.domain.second_factors import CEREMONY_LIFETIME, Ceremony, CeremonyOver, CeremonyPurpose
from auth.domain.sessions import hash_of, new_token
from auth.ports.store import Store
from auth.use_cases.means import Means

CHALLENGE_BYTES = 32
"""WebAuthn asks for 16 at least."""


@dataclass(frozen=True)
class Begun:
    """A ceremony as its client gets it. `public_key`: what `navigator.credentials` is called with, if it is."""

    token: Secret
    public_key: dict[str, Any] | None
    expires_at: datetime


async def begin_ceremony(store: Store, purpose: CeremonyPurpose, account_id: UUID | None) -> tuple[Ceremony, Secret]:
    token = new_token()
    challenge, expires_at = secrets.token_bytes(CHALLENGE_BYTES), store.now() + CEREMONY_LIFETIME
    ceremony = Ceremony(hash_of(token), account_id, purpose, challenge, expires_at)
    await store.ceremonies.add(ceremony)
    return ceremony, token


async def ask_for_passkey(means: Means, store: Store, purpose: CeremonyPurpose, account_id: UUID | None) -> Begun:
    """A ceremony that a passkey can answer; one of the account's if there is one."""
    ceremony, token = await begin_ceremony(store, purpose, account_id)
    allowed = await store.passkeys.credential_ids(account_id) if account_id else []
    return Begun(token, means.authenticators.request(ceremony.challenge, allowed=allowed), ceremony.expires_at)


async def find_ceremony(store: Store, token: Secret, purpose: CeremonyPurpose, account_id: UUID | None) -> Ceremony:
    """Raises `CeremonyOver`. `account_id`: whose it must be; None where that is to be found out by it."""
    ceremony = await store.ceremonies.find(hash_of(token))
    if ceremony is None or not ceremony.is_good(purpose, store.now()):
        raise CeremonyOver()
    if account_id is not None and ceremony.account_id != account_id:
        raise CeremonyOver()
    return ceremony


async def end_ceremony(store: Store, ceremony: Ceremony) -> None:
    """It counts once: raises `CeremonyOver` if another answer was first."""
    if not await store.ceremonies.end(ceremony.token_hash):
        raise CeremonyOver()
