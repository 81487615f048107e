"""Delete an account with everything that only it owned. From the password on there is no way back.

Once the password is right this is the system's work, not the person's: it spans their workspaces, outlives their
session and is finished by a loop if need be. So it has the worker's scope, each statement narrowed to the account.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import structlog
from contracts.auth import AccountDeletedV1, WorkspaceDeletedV1
from contracts.retention import SubjectKind
from kit.database import Scope
from kit.passport import Caller
from kit.problems import Unauthenticated
from kit.secret import Secret

from auth.domain.clients import Client
from auth.domain.connections import FLIGHT
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.disconnecting import finish_ending
from auth.use_cases.means import Means
from auth.use_cases.presence import prove_oneself
from auth.use_cases.together import do_together

log = structlog.get_logger("closing")

ENDINGS_AT_ONCE_MAX = 10
"""Platforms told at the same time for one deletion; each may take as long as a revocation may."""

STUCK_AT_ONCE_MAX = 5


@dataclass(frozen=True)
class OpenedErasure:
    """What will be forgotten, and the id under which it can be followed."""

    erasure_id: UUID
    subject_kind: SubjectKind


async def delete_account(
    means: Means, caller: Caller, *, password: Secret | None, client: Client, platforms: Platforms, vault: Vault
) -> list[OpenedErasure]:
    """The erasures that are opened. Sign-in and sessions end first, so that nothing new begins meanwhile."""
    await prove_oneself(means, caller, password, client)
    account_id = caller.account
    async with means.transactions(Scope.worker()) as store:
        now = store.now()
        if not await store.closing.begin(account_id, at=now, until=now + FLIGHT):
            raise Unauthenticated()
        await store.organisations.hand_over(account_id, at=now)
    return await _finish(means.transactions, account_id, platforms=platforms, vault=vault)


async def finish_stuck_deletions(transactions: Transactions, *, platforms: Platforms, vault: Vault) -> int:
    """Complete what a crash left half deleted; returns how many there were."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        stuck = await store.closing.claim_stuck(now=now, until=now + FLIGHT, limit=STUCK_AT_ONCE_MAX)
    for account_id in stuck:
        await _finish(transactions, account_id, platforms=platforms, vault=vault)
    return len(stuck)


async def _finish(
    transactions: Transactions, account_id: UUID, *, platforms: Platforms, vault: Vault
) -> list[OpenedErasure]:
    async with transactions(Scope.worker()) as store:
        connection_ids = await store.closing.open_connections(account_id)
    await end_all(transactions, connection_ids, platforms=platforms, vault=vault)
    return await tell_closed(transactions, account_id)


async def end_all(
    transactions: Transactions, connection_ids: Iterable[UUID], *, platforms: Platforms, vault: Vault
) -> None:
    """End frozen connections, some of them side by side."""
    slots = asyncio.Semaphore(ENDINGS_AT_ONCE_MAX)

    async def end(connection_id: UUID) -> None:
        async with slots:
            await finish_ending(transactions, connection_id, platforms=platforms, vault=vault)

    await do_together(end(connection_id) for connection_id in connection_ids)


async def tell_closed(transactions: Transactions, account_id: UUID) -> list[OpenedErasure]:
    """Tell that the account and its workspaces are gone, once."""
    async with transactions(Scope.worker()) as store:
        workspace_ids = await store.closing.finish(account_id)
        if workspace_ids is None:
            return []
        erasures = []
        for workspace_id in workspace_ids:
            erasures.append(OpenedErasure(uuid.uuid4(), SubjectKind.WORKSPACE))
            store.emit(WorkspaceDeletedV1(workspace_id=workspace_id, erasure_id=erasures[-1].erasure_id))
        erasures.append(OpenedErasure(uuid.uuid4(), SubjectKind.ACCOUNT))
        store.emit(AccountDeletedV1(account_id=account_id, erasure_id=erasures[-1].erasure_id))
    log.info("account_deleted", account_id=str(account_id), workspaces=len(workspace_ids))
    return erasures
