"""End a connection: freeze it, let leases run out, tell the platform once, destroy the key, then the rest at once.

The freeze is the person's and happens in their workspace's scope. From then on the end is the system's work, finished
by a loop if need be, in the worker's scope and narrowed to the connection.

Two stores are involved, in this order: the platform's answer is kept with the connection; its keys are destroyed, from
when on nothing opens any copy of its tokens; ciphertext and metadata go in the transaction that tells the end. After a
crash the steps that are left are done again, and the platform is not asked again once its answer is kept.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import structlog
from contracts.auth import ConnectionRevokedV2, PlatformConfirmation, RevocationReason
from kit.database import Scope
from kit.problems import NotFound, Unavailable
from platforms.access import Reach
from platforms.shape import PlatformName

from auth.domain.connections import CONFIRMED, FLIGHT, QUIET_SECONDS, Ended, State, UnconfirmedBecause
from auth.domain.withdrawing import ENDED_MAX, EndedConnection
from auth.ports.store import Store, Transactions
from auth.ports.vault import Platforms, Vault
from auth.ports.withdrawals import LateRevocation
from auth.use_cases.revoking_late import keep_late, seal_person
from auth.use_cases.sealing import open_grant
from auth.use_cases.telling import revoke_quietly
from auth.use_cases.together import do_together

log = structlog.get_logger("disconnecting")

AnyEnded = TypeVar("AnyEnded", Ended, EndedConnection)

POLL_SECONDS = 0.05
"""How often a wait looks again: a person is waiting."""

STUCK_AT_ONCE_MAX = 20

_CONFIRMATION = {True: PlatformConfirmation.CONFIRMED, False: PlatformConfirmation.UNCONFIRMED}


async def disconnect(
    transactions: Transactions, *, workspace_id: UUID, connection_id: UUID, platforms: Platforms, vault: Vault
) -> Ended:
    """How the connection ended. Asked twice, it ends once and both get the same answer."""
    give_up_at = time.monotonic() + FLIGHT.total_seconds()
    while time.monotonic() < give_up_at:
        async with transactions(Scope.workspace(workspace_id)) as store:
            now = store.now()
            frozen = await store.connections.freeze(
                connection_id, RevocationReason.DISCONNECTED, now=now, until=now + FLIGHT
            )
            ended = await store.connections.ended(connection_id)
        if ended is None:
            raise NotFound()
        if frozen:
            finished = await finish_ending(transactions, connection_id, platforms=platforms, vault=vault)
            if finished is not None:
                return _with_way_out(finished, platforms)
        elif ended.state == State.REVOKED:
            return _with_way_out(ended, platforms)
        else:
            await asyncio.sleep(POLL_SECONDS)
    raise Unavailable()


async def finish_ending(
    transactions: Transactions, connection_id: UUID, *, platforms: Platforms, vault: Vault
) -> Ended | None:
    """End a frozen connection; None if somebody else has done it meanwhile. Safe to repeat."""
    await wait_until_quiet(transactions, connection_id, beside_refresh=True)
    confirmation, because = await _tell_platform(transactions, connection_id, platforms=platforms, vault=vault)
    async with transactions(Scope.worker()) as store:
        await store.connections.record_answer(connection_id, confirmation, because)
    late = await _late(transactions, connection_id, because, platforms=platforms, vault=vault)
    await vault.destroy_of(connection_id)
    async with transactions(Scope.worker()) as store:
        closed = await store.connections.close(
            connection_id, confirmation, because, at=store.now(), erasure_id=uuid.uuid4()
        )
        if closed is None:
            return None
        await store.grants.destroy(connection_id)
        if late is not None:
            await keep_late(store, late, closed.workspace_id)
        store.emit(
            ConnectionRevokedV2(
                workspace_id=closed.workspace_id,
                connection_id=connection_id,
                platform=closed.platform,
                reason=RevocationReason(closed.ending_reason),
                platform_confirmation=confirmation,
                revoked_at=closed.revoked_at,
                erasure_id=closed.erasure_id,
            )
        )
    log.info("connection_revoked", connection_id=str(connection_id), platform_confirmation=confirmation.value)
    return Ended(closed.platform, State.REVOKED, CONFIRMED[confirmation], closed.erasure_id, because)


async def recall(connection_id: UUID, *, erasure_id: UUID, store: Store) -> None:
    """Freeze a connection that a restore has brought back, for whoever finishes what a crash left."""
    if await store.connections.recall(connection_id, erasure_id=erasure_id, now=store.now()):
        log.warning("connection_recalled", connection_id=str(connection_id))


async def finish_stuck(transactions: Transactions, *, platforms: Platforms, vault: Vault) -> int:
    """End what a crash left frozen; returns how many there were."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        stuck = await store.connections.claim_stuck(now=now, until=now + FLIGHT, limit=STUCK_AT_ONCE_MAX)
    await do_together(finish_ending(transactions, each, platforms=platforms, vault=vault) for each in stuck)
    return len(stuck)


async def wait_until_quiet(transactions: Transactions, connection_id: UUID, *, beside_refresh: bool) -> bool:
    """Wait for the leases that are out (and a renewal on its way); False if they did not end in time."""
    give_up_at = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < give_up_at:
        async with transactions(Scope.worker()) as store:
            if await store.connections.is_quiet(connection_id, now=store.now(), beside_refresh=beside_refresh):
                return True
            if not beside_refresh and not await store.connections.is_lendable(connection_id):
                return False
        await asyncio.sleep(POLL_SECONDS)
    return False


async def list_ended(transactions: Transactions, workspace_id: UUID, *, platforms: Platforms) -> list[EndedConnection]:
    """What has ended, until it is erased."""
    async with transactions(Scope.workspace(workspace_id)) as store:
        ended = await store.withdrawals.ended(workspace_id, limit=ENDED_MAX)
    return [_with_way_out(each, platforms) for each in ended]


def _with_way_out(ended: AnyEnded, platforms: Platforms) -> AnyEnded:
    """Where the access may still stand, the person is told where to end it themself."""
    if ended.platform_confirmed is not False:
        return ended
    return replace(ended, where_to_withdraw=platforms.access(PlatformName(ended.platform)).withdrawal)


async def _late(
    transactions: Transactions,
    connection_id: UUID,
    because: UnconfirmedBecause | None,
    *,
    platforms: Platforms,
    vault: Vault,
) -> LateRevocation | None:
    """What is kept to ask the platform again, where it gave no answer and our application's own token is enough."""
    if because is not UnconfirmedBecause.NO_ANSWER:
        return None
    async with transactions(Scope.worker()) as store:
        ending = await store.connections.ending(connection_id)
    if ending is None or not ending.bond or not platforms.access(PlatformName(ending.platform)).by_application:
        return None
    return await seal_person(vault, connection_id, PlatformName(ending.platform), ending.bond)


async def _tell_platform(
    transactions: Transactions, connection_id: UUID, *, platforms: Platforms, vault: Vault
) -> tuple[PlatformConfirmation, UnconfirmedBecause | None]:
    """What the platform said to the end of the grant, and why it did not confirm it if so."""
    async with transactions(Scope.worker()) as store:
        ending = await store.connections.ending(connection_id)
        sealed = await store.grants.find(connection_id)
    if ending is not None and ending.platform_confirmed is not None:
        because = UnconfirmedBecause(ending.unconfirmed_because) if ending.unconfirmed_because else None
        return _CONFIRMATION[ending.platform_confirmed], because
    if ending is not None and sealed is None and (ending.dead or ending.reason == RevocationReason.PLATFORM):
        return PlatformConfirmation.NOT_ASKED, None
    if ending is None or sealed is None:
        return PlatformConfirmation.UNCONFIRMED, UnconfirmedBecause.NOT_POSSIBLE
    if ending.shared:
        # The platform knows nothing smaller than what the others stand on. The last of them ends it.
        return PlatformConfirmation.UNCONFIRMED, UnconfirmedBecause.SHARED
    name = PlatformName(ending.platform)
    try:
        opened = await open_grant(vault, sealed)
    except Exception as error:
        # A grant that no key opens cannot be revoked; destroying it is all the more right.
        log.error("grant_not_opened", connection_id=str(connection_id), reason=type(error).__name__)
        return PlatformConfirmation.UNCONFIRMED, UnconfirmedBecause.NOT_POSSIBLE
    if await revoke_quietly(platforms, name, opened.grant):
        return PlatformConfirmation.CONFIRMED, None
    possible = platforms.offers(name) and platforms.access(name).reach is not Reach.NOTHING
    return PlatformConfirmation.UNCONFIRMED, (
        UnconfirmedBecause.NO_ANSWER if possible else UnconfirmedBecause.NOT_POSSIBLE
    )
