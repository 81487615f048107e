"""One authorisation, several accounts: keep the grant sealed until the person has said which to connect."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID, uuid4

import structlog
from kit.database import Scope
from kit.problems import Problem
from platforms import grants
from platforms.shape import Grant, PlatformName, Profile

from auth.domain.authorising import (
    CHOICE_LIFETIME,
    AccountNotOffered,
    Authorisation,
    AuthorisationUnknown,
    ChoiceNeeded,
    LapsedChoice,
    OfferedAccount,
    Stage,
)
from auth.domain.connections import Connection
from auth.domain.vault import NotOpened, VaultUnavailable, choice_context, key_context
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.asking import at_platform
from auth.use_cases.establishing import Visit, establish
from auth.use_cases.permitting import check_permission
from auth.use_cases.telling import give_back
from auth.use_cases.together import do_together

log = structlog.get_logger("choosing")

LAPSED_AT_ONCE_MAX = 20


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
    try:
        return [
            await establish(transactions, visit, name, each, offered[each.account_id], platforms=platforms, vault=vault)
            for each in narrowed
        ]
    except Problem:
        await give_back(transactions, name, grant, visit.authorisation_id, platforms=platforms)
        raise


async def end_lapsed_choices(transactions: Transactions, *, platforms: Platforms, vault: Vault) -> int:
    """Tell platforms of grants from which nobody has chosen in time; returns how many there were.

    Their tokens are destroyed first, so each platform is asked once at most, by who holds the grant in memory: not at
    all if this process dies in between, or if no key opens the grant right now.
    """
    async with transactions(Scope.worker()) as store:
        lapsed = await store.authorisations.take_lapsed(now=store.now(), limit=LAPSED_AT_ONCE_MAX)
    await do_together(_give_back_lapsed(transactions, each, platforms=platforms, vault=vault) for each in lapsed)
    return len(lapsed)


async def _give_back_lapsed(
    transactions: Transactions, lapsed: LapsedChoice, *, platforms: Platforms, vault: Vault
) -> None:
    hashed = lapsed.state_hash
    try:
        plain = await vault.open(
            lapsed.text, lapsed.key, key_context=key_context(hashed), context=choice_context(hashed)
        )
    except (NotOpened, VaultUnavailable) as error:
        log.warning("lapsed_choice_not_opened", platform=lapsed.platform, reason=type(error).__name__)
        return
    grant, _ = _load(plain)
    # No connection came of it, so none has its bond where the bond is the authorisation's.
    await give_back(transactions, PlatformName(lapsed.platform), grant, uuid4(), platforms=platforms)
    log.info("lapsed_choice_ended", platform=lapsed.platform)


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
