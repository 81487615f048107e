"""Connect accounts on a platform to a workspace: send the person there, take the grant they come back with."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from kit.database import Scope
from kit.problems import NotFound, Problem
from kit.secret import Secret
from platforms.shape import Grant, PlatformName, Profile

from auth.domain.authorising import (
    AUTHORISATION_LIFETIME,
    DENIALS,
    Authorisation,
    AuthorisationDenied,
    AuthorisationFailed,
    AuthorisationUnknown,
    ChoiceNeeded,
    PlatformNotOffered,
    ScopeMissing,
)
from auth.domain.connections import Connection
from auth.domain.vault import authorisation_context, key_context
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.asking import at_platform
from auth.use_cases.choosing import offer_choice
from auth.use_cases.establishing import Visit, establish
from auth.use_cases.permitting import check_permission
from auth.use_cases.telling import give_back

STATE_BYTES = 32


async def start_connecting(
    transactions: Transactions,
    *,
    workspace_id: UUID,
    account_id: UUID,
    name: PlatformName,
    handle: str | None,
    platforms: Platforms,
    vault: Vault,
) -> tuple[str, datetime]:
    """Where to send the person, and until when they may come back. What must be kept is stored sealed."""
    if not platforms.offers(name):
        raise PlatformNotOffered()
    state = secrets.token_urlsafe(STATE_BYTES)
    async with at_platform():
        started = await platforms.authorise(name, state=state, handle=handle)
    state_hash = _hash_of(state)
    kept = json.dumps({field: value.reveal() for field, value in started.kept.items()}).encode()
    key, text = await vault.seal(kept, key_context=key_context(state_hash), context=authorisation_context(state_hash))
    async with transactions(Scope.workspace(workspace_id, account_id)) as store:
        expires_at = min(started.expires_at, store.now() + AUTHORISATION_LIFETIME)
        authorisation = Authorisation(
            workspace_id, name, key.wrapped_key, key.key_id, text.nonce, text.ciphertext, expires_at
        )
        if not await store.workspaces.is_open(workspace_id):
            raise NotFound()
        await store.authorisations.add(state_hash, authorisation, account_id=account_id)
    return started.url, expires_at


async def finish_connecting(
    transactions: Transactions, *, account_id: UUID, callback: Mapping[str, str], platforms: Platforms, vault: Vault
) -> Connection | ChoiceNeeded:
    """The connection that the person came back with, or the accounts to choose from if there are several.

    The state works once, for them alone.
    """
    state_hash = _hash_of(callback.get("state", ""))
    async with transactions(Scope.account(account_id)) as store:
        started = await store.authorisations.take(state_hash, account_id=account_id)
        now = store.now()
    if started is None or started.expires_at <= now:
        raise AuthorisationUnknown()
    name, visit = PlatformName(started.platform), Visit(started.workspace_id, account_id, uuid.uuid4())
    async with transactions(Scope.workspace(visit.workspace_id, account_id)) as store:
        await check_permission(store, visit.workspace_id, account_id)
    if "error" in callback:
        raise AuthorisationDenied() if callback["error"] in DENIALS else AuthorisationFailed()
    plain = await vault.open(
        started.text, started.key, key_context=key_context(state_hash), context=authorisation_context(state_hash)
    )
    kept = {field: Secret(value) for field, value in json.loads(plain).items()}
    async with at_platform():
        grant = await platforms.exchange(name, callback=callback, kept=kept)
    try:
        profiles = await _look_at(name, grant, platforms)
        if len(profiles) > 1:
            return await offer_choice(transactions, visit, name, grant, profiles, vault=vault)
        async with at_platform():
            narrowed = await platforms.act_for(name, grant, profiles[0].account_id)
        return await establish(transactions, visit, name, narrowed, profiles[0], platforms=platforms, vault=vault)
    except Problem:
        await give_back(transactions, name, grant, visit.authorisation_id, platforms=platforms)
        raise


async def _look_at(name: PlatformName, grant: Grant, platforms: Platforms) -> Sequence[Profile]:
    """Whose accounts the grant opens, if it allows what is needed."""
    missing = platforms.needed_scopes(name) - set(grant.scopes)
    if missing:
        raise ScopeMissing(scopes=sorted(missing))
    async with at_platform():
        profiles = await platforms.accounts(name, grant)
    if not profiles:
        raise AuthorisationFailed("The authorisation opens no account that may be posted to.")
    return profiles


def _hash_of(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
