"""Connect an account on a platform to a workspace: send the person there, take the grant they come back with."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from contracts.access import PERMISSIONS, Permission
from contracts.auth import ConnectionEstablishedV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import Forbidden, NotFound, Problem, Unavailable
from kit.secret import Secret
from platforms.errors import PlatformError
from platforms.shape import Grant, PlatformName, Profile

from auth.domain.connections import (
    CONNECT_SECONDS,
    Authorisation,
    AuthorisationDenied,
    AuthorisationFailed,
    AuthorisationUnknown,
    Connection,
    PlatformNotOffered,
    PlatformUnavailable,
    ScopeMissing,
    connection_of,
    problem_of,
    refresh_at,
)
from auth.domain.vault import Ciphertext, WrappedKey, authorisation_context, key_context
from auth.ports.store import Store, Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.sealing import seal_new
from auth.use_cases.telling import revoke_quietly

log = structlog.get_logger("connecting")

STATE_BYTES = 32
AUTHORISATION_LIFETIME = timedelta(minutes=10)
"""How long a person may be away at the platform."""

ATTEMPTS_MAX = 3
"""Two people who connect one account in one moment come between each other once."""


class _CameBetween(Exception):
    """Another authorisation of the same account was written first."""


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
    async with _at_platform():
        started = await platforms.authorise(name, state=state, handle=handle)
    state_hash = _hash_of(state)
    key = await vault.new_key(context=key_context(state_hash))
    kept = json.dumps({field: value.reveal() for field, value in started.kept.items()}).encode()
    text = await vault.seal(kept, key, key_context=key_context(state_hash), context=authorisation_context(state_hash))
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
) -> Connection:
    """The connection that the person came back with. The state works once, for them alone."""
    state_hash = _hash_of(callback.get("state", ""))
    async with transactions(Scope.account(account_id)) as store:
        started = await store.authorisations.take(state_hash, account_id=account_id)
        now = store.now()
    if started is None or started.expires_at <= now:
        raise AuthorisationUnknown()
    async with transactions(Scope.workspace(started.workspace_id, account_id)) as store:
        await _check_permission(store, started.workspace_id, account_id)
    if "error" in callback:
        raise AuthorisationDenied() if callback["error"] == "access_denied" else AuthorisationFailed()
    name = PlatformName(started.platform)
    grant, profile = await _redeem(name, callback, await _open_kept(vault, state_hash, started), platforms)
    try:
        return await _establish(transactions, started.workspace_id, account_id, name, grant, profile, vault)
    except (NotFound, Forbidden):
        await revoke_quietly(platforms, name, grant)
        raise


async def _check_permission(store: Store, workspace_id: UUID, account_id: UUID) -> None:
    """The role can have changed while the person was away."""
    if not await store.workspaces.is_open(workspace_id):
        raise NotFound()
    role = await store.workspaces.role_of(workspace_id, account_id)
    if role is None or Permission.CONNECTION_MANAGE not in PERMISSIONS[role]:
        raise Forbidden(Permission.CONNECTION_MANAGE)


async def _open_kept(vault: Vault, state_hash: bytes, started: Authorisation) -> dict[str, Secret]:
    plain = await vault.open(
        Ciphertext(started.nonce, started.ciphertext),
        WrappedKey(started.wrapped_key, started.key_id),
        key_context=key_context(state_hash),
        context=authorisation_context(state_hash),
    )
    return {field: Secret(value) for field, value in json.loads(plain).items()}


async def _redeem(
    name: PlatformName, callback: Mapping[str, str], kept: Mapping[str, Secret], platforms: Platforms
) -> tuple[Grant, Profile]:
    """The grant and whose it is; a grant that cannot be used is given back."""
    async with _at_platform():
        grant = await platforms.exchange(name, callback=callback, kept=kept)
    missing = platforms.needed_scopes(name) - set(grant.scopes)
    if missing:
        await revoke_quietly(platforms, name, grant)
        raise ScopeMissing(scopes=sorted(missing))
    try:
        async with _at_platform():
            return grant, await platforms.profile(name, grant)
    except Problem:
        await revoke_quietly(platforms, name, grant)
        raise


@asynccontextmanager
async def _at_platform() -> AsyncIterator[None]:
    """A platform's call within bounds, its errors turned into what the person is told."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            yield
    except PlatformError as error:
        raise problem_of(error) from error
    except TimeoutError as error:
        raise PlatformUnavailable() from error


async def _establish(
    transactions: Transactions,
    workspace_id: UUID,
    account_id: UUID,
    name: PlatformName,
    grant: Grant,
    profile: Profile,
    vault: Vault,
) -> Connection:
    """Write the connection and its sealed grant. Sealing is done between transactions: it may ask a key service."""
    for _ in range(ATTEMPTS_MAX):
        async with transactions(Scope.workspace(workspace_id, account_id)) as store:
            known = await store.connections.known(workspace_id, name, grant.account_id)
        connection = connection_of(known.connection_id if known else new_id(), workspace_id, name, grant, profile)
        generation = known.generation + 1 if known else 1
        sealed = await seal_new(vault, connection.connection_id, generation, grant)
        try:
            async with transactions(Scope.workspace(workspace_id, account_id)) as store:
                await _check_permission(store, workspace_id, account_id)
                now = store.now()
                due_at = refresh_at(grant, now, chance=random.random())  # noqa: S311  # only spreads load
                if not await store.connections.establish(
                    connection, refresh_at=due_at, at=now, is_new=known is None
                ) or not await store.grants.put(connection.connection_id, workspace_id, sealed, at=now):
                    raise _CameBetween
                store.emit(
                    ConnectionEstablishedV1(
                        workspace_id=workspace_id, connection_id=connection.connection_id, platform=name
                    )
                )
        except _CameBetween:
            continue
        log.info("connection_established", connection_id=str(connection.connection_id), platform=name)
        return connection
    raise Unavailable()


def _hash_of(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
