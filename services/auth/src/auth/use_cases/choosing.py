"""One authorisation, several accounts: keep the grant sealed until the person has said which to connect."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from kit.database import Scope
from platforms import grants
from platforms.shape import Grant, PlatformName, Profile

from auth.domain.authorising import (
    CHOICE_LIFETIME,
    AccountNotOffered,
    Authorisation,
    AuthorisationUnknown,
    ChoiceNeeded,
    OfferedAccount,
    Stage,
)
from auth.domain.connections import Connection
from auth.domain.vault import choice_context, key_context
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.asking import at_platform
from auth.use_cases.establishing import Visit, establish
from auth.use_cases.permitting import check_permission


async def offer_choice(
    transactions: Transactions,
    visit: Visit,
    name: PlatformName,
    grant: Grant,
    profiles: Sequence[Profile],
    *,
    vault: Vault,
) -> ChoiceNeeded:
    """Keep the grant and show what it opens. Only who was at the platform can choose, once."""
    hashed = _hash_of(visit.authorisation_id)
    key, text = await vault.seal(
        _dump(grant, profiles), key_context=key_context(hashed), context=choice_context(hashed)
    )
    async with transactions(Scope.workspace(visit.workspace_id, visit.account_id)) as store:
        await check_permission(store, visit.workspace_id, visit.account_id)
        expires_at = store.now() + CHOICE_LIFETIME
        kept = Authorisation(
            visit.workspace_id, name, key.wrapped_key, key.key_id, text.nonce, text.ciphertext, expires_at
        )
        await store.authorisations.add(hashed, kept, account_id=visit.account_id, stage=Stage.CHOOSING)
    accounts = [OfferedAccount.of(profile) for profile in profiles]
    return ChoiceNeeded(visit.authorisation_id, visit.workspace_id, name, accounts, expires_at)


async def choose(
    transactions: Transactions, visit: Visit, account_ids: Sequence[str], *, platforms: Platforms, vault: Vault
) -> list[Connection]:
    """Connect the chosen accounts. What is not among the offered ones is refused and uses nothing up."""
    hashed = _hash_of(visit.authorisation_id)
    async with transactions(Scope.workspace(visit.workspace_id, visit.account_id)) as store:
        kept = await store.authorisations.find(hashed, account_id=visit.account_id, stage=Stage.CHOOSING)
        now = store.now()
    if kept is None or kept.expires_at <= now or kept.workspace_id != visit.workspace_id:
        raise AuthorisationUnknown()
    name = PlatformName(kept.platform)
    grant, profiles = _load(
        await vault.open(kept.text, kept.key, key_context=key_context(hashed), context=choice_context(hashed))
    )
    offered = {profile.account_id: profile for profile in profiles}
    chosen = list(dict.fromkeys(account_ids))
    for position, account_id in enumerate(chosen):
        if account_id not in offered:
            raise AccountNotOffered(position)
    async with at_platform():
        narrowed = [await platforms.act_for(name, grant, account_id) for account_id in chosen]
    async with transactions(Scope.workspace(visit.workspace_id, visit.account_id)) as store:
        await check_permission(store, visit.workspace_id, visit.account_id)
        if await store.authorisations.take(hashed, account_id=visit.account_id, stage=Stage.CHOOSING) is None:
            raise AuthorisationUnknown()
    return [
        await establish(transactions, visit, name, each, offered[each.account_id], platforms=platforms, vault=vault)
        for each in narrowed
    ]


def _dump(grant: Grant, profiles: Sequence[Profile]) -> bytes:
    """Whose accounts they are is sealed with the grant: until one is chosen it is nobody's business here."""
    sealed = base64.b64encode(grants.dump(grant, with_refresh=True)).decode()
    return json.dumps({"grant": sealed, "profiles": [asdict(profile) for profile in profiles]}).encode()


def _load(plain: bytes) -> tuple[Grant, list[Profile]]:
    document = json.loads(plain)
    grant = grants.load(base64.b64decode(document["grant"]))
    return grant, [Profile(**profile) for profile in document["profiles"]]


def _hash_of(authorisation_id: UUID) -> bytes:
    return hashlib.sha256(authorisation_id.bytes).digest()
