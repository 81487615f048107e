"""Watch grants that only a person can renew: say a week ahead that they end, stop them when they have, tell people."""

from __future__ import annotations

from datetime import timedelta

import structlog
from contracts.access import PERMISSIONS, Permission, Role
from contracts.auth import ConnectionExpiringV1, ConnectionReauthRequiredV1
from kit.database import Scope

from auth.domain.letters import Letter, LetterKind
from auth.domain.renewing import EXPIRING_AHEAD, TELL_AGAIN_AFTER, Notice
from auth.ports.endings import ToTell
from auth.ports.store import Store, Transactions

log = structlog.get_logger("ending_soon")

AT_ONCE_MAX = 50

EXPIRED = "expired"

_LETTERS = {
    Notice.ENDS: LetterKind.CONNECTION_ENDS,
    Notice.NEEDS_YOU: LetterKind.CONNECTION_NEEDS_YOU,
    Notice.OVERDUE: LetterKind.CONNECTION_WAITS,
}


async def watch_endings(transactions: Transactions) -> int:
    """Returns how many connections came a step nearer to their end."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        expired = await store.endings.expire(now=now, limit=AT_ONCE_MAX)
        for each in expired:
            store.emit(
                ConnectionReauthRequiredV1(
                    workspace_id=each.workspace_id, connection_id=each.connection_id, reason=EXPIRED
                )
            )
        expiring = await store.endings.begin_expiring(now=now, before=now + EXPIRING_AHEAD, limit=AT_ONCE_MAX)
        for each in expiring:
            store.emit(
                ConnectionExpiringV1(
                    workspace_id=each.workspace_id, connection_id=each.connection_id, ends_at=each.ends_at
                )
            )
    for each in expired:
        log.info("reauthorisation_required", connection_id=str(each.connection_id), code=EXPIRED)
    return len(expired) + len(expiring)


async def end_lapsed(transactions: Transactions, *, grace: timedelta) -> int:
    """End what nobody has authorised again within `grace` of its grant's death; returns how many."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        ended = await store.withdrawals.end_lapsed(dead_until=now - grace, now=now, limit=AT_ONCE_MAX)
    if ended:
        log.info("connections_lapsed", count=ended)
    return ended


async def tell_people(transactions: Transactions) -> int:
    """Write the letters that are due; returns of how many connections."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        told = await store.endings.take_notices(now=now, told_before=now - TELL_AGAIN_AFTER, limit=AT_ONCE_MAX)
        for each in told:
            await _write(store, each)
    return len(told)


async def _write(store: Store, told: ToTell) -> None:
    notice = Notice(told.notice)
    facts = {
        "platform": told.platform,
        "handle": told.handle,
        "workspace": told.workspace_name,
        "reason": told.reason or "",
        "ends_at": told.ends_at.isoformat() if told.ends_at else "",
    }
    for member in await store.members.of_workspace(told.workspace_id):
        if Permission.CONNECTION_MANAGE in PERMISSIONS[Role(member.role)]:
            letter = Letter(
                _LETTERS[notice],
                member.email,
                account_id=member.account_id,
                workspace_id=told.workspace_id,
                subject_id=told.connection_id,
                facts=facts,
            )
            await store.letters.add(letter, at=store.now())
