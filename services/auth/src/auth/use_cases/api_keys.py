"""Make, list, replace and revoke API keys, and turn one into a passport's caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.access import Permission
from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import KeyRefused, NotFound
from kit.secret import Secret

from auth.domain.api_keys import (
    KEYS_MAX,
    ApiKey,
    KeyEnded,
    KeyState,
    NotTheirKey,
    TooManyKeys,
    check_connections,
    check_permissions,
    expiry,
    new_secret,
)
from auth.domain.clients import Client
from auth.domain.security import SecurityKind
from auth.ports.api_keys import KeyHashes
from auth.ports.store import Store, Transactions
from auth.use_cases.presence import check_recent


@dataclass(frozen=True)
class Wish:
    """What a key is to be."""

    name: str
    permissions: Sequence[Permission]
    connection_ids: Sequence[UUID] | None
    expires_at: datetime | None


async def create_key(
    store: Store, wish: Wish, *, caller: Caller, client: Client, hashes: KeyHashes
) -> tuple[ApiKey, Secret]:
    """A new key and its secret, which is shown this once. Raises `Invalid`, `TooManyKeys`, `PresenceNeeded`."""
    await check_recent(store, caller)
    if not await store.api_keys.hold_workspace(caller.workspace):
        raise NotFound()
    # The role as it is now: the passport may be older than a change of it.
    role = await store.members.role_of(caller.workspace, caller.account)
    if role is None:
        raise NotFound()
    now = store.now()
    check_permissions(wish.permissions, role)
    check_connections(wish.connection_ids, await _connections(store, caller.workspace))
    expires_at = expiry(wish.expires_at, now)
    if await store.api_keys.count_active(caller.workspace, at=now) >= KEYS_MAX:
        raise TooManyKeys()
    prefix, secret = new_secret()
    key = ApiKey(
        key_id=new_id(),
        name=wish.name,
        prefix=prefix,
        permissions=sorted(set(wish.permissions)),
        connection_ids=None if wish.connection_ids is None else sorted(set(wish.connection_ids)),
        created_by=caller.account,
        created_at=now,
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    await store.api_keys.add(caller.workspace, key)
    await store.api_keys.add_secret(caller.workspace, key.key_id, hashes.all_of(secret)[0], expires_at=expires_at)
    await _record(store, SecurityKind.API_KEY_CREATED, caller, client)
    return key, secret


async def rotate_key(
    store: Store,
    key_id: UUID,
    *,
    overlap: timedelta,
    expires_at: datetime | None,
    caller: Caller,
    client: Client,
    hashes: KeyHashes,
) -> tuple[ApiKey, Secret]:
    """The key with a new secret; the one before it works for `overlap` more. Raises `NotTheirKey`, `KeyEnded`."""
    await check_recent(store, caller)
    key = await _found(store, caller.workspace, key_id)
    now = store.now()
    if key.created_by != caller.account:
        raise NotTheirKey()
    if key.state(now) is not KeyState.ACTIVE:
        raise KeyEnded()
    until, (prefix, secret) = expiry(expires_at, now), new_secret()
    await store.api_keys.end_secrets(caller.workspace, key, at=now + overlap)
    await store.api_keys.add_secret(caller.workspace, key_id, hashes.all_of(secret)[0], expires_at=until)
    await store.api_keys.replace(caller.workspace, key_id, prefix=prefix, expires_at=until)
    await _record(store, SecurityKind.API_KEY_REPLACED, caller, client)
    return replace(key, prefix=prefix, expires_at=until), secret


async def revoke_key(store: Store, key_id: UUID, *, caller: Caller, client: Client) -> None:
    """From the commit on the key opens nothing. Once is as good as twice."""
    key = await _found(store, caller.workspace, key_id)
    if key.revoked_at is not None:
        return
    await store.api_keys.revoke(caller.workspace, key_id, at=store.now())
    if key.created_by == caller.account:
        await _record(store, SecurityKind.API_KEY_REVOKED, caller, client)
    else:
        # From where a colleague did it is theirs to see.
        await store.security.record(key.created_by, SecurityKind.API_KEY_REVOKED, Client(), at=store.now())


async def list_keys(store: Store, workspace_id: UUID) -> Sequence[ApiKey]:
    return await store.api_keys.of_workspace(workspace_id)


async def identify_key(
    transactions: Transactions, *, key: Secret, workspace_id: UUID | None, hashes: KeyHashes
) -> Caller:
    """Who a key stands for, in its workspace or in none.

    Whatever is wrong with it is `KeyRefused`, after the same work; `NotFound` for a workspace that is not its own.
    """
    candidates = hashes.all_of(key)
    async with transactions.glance() as store:
        now = store.now()
        holder = await store.api_keys.holder_of(candidates)
    if holder is None or now >= holder.expires_at:
        raise KeyRefused()
    if holder.is_stale(now) or holder.pepper_id != candidates[0].pepper_id:
        async with transactions(Scope.workspace(holder.workspace_id)) as store:
            await store.api_keys.note_use(holder, candidates[0], at=now)
    caller = Caller(holder.account_id, key=holder.limits())
    if workspace_id is None:
        return caller
    if workspace_id != holder.workspace_id:
        raise NotFound()
    return replace(caller, workspace_id=workspace_id, role=holder.as_member())


async def _record(store: Store, kind: SecurityKind, caller: Caller, client: Client) -> None:
    await store.security.record(caller.account, kind, client, at=store.now(), session_id=caller.session_id)


async def _found(store: Store, workspace_id: UUID, key_id: UUID) -> ApiKey:
    key = await store.api_keys.locked(workspace_id, key_id)
    if key is None:
        raise NotFound()
    return key


async def _connections(store: Store, workspace_id: UUID) -> set[UUID]:
    return {each.connection_id for each in await store.connections.of_workspace(workspace_id)}
