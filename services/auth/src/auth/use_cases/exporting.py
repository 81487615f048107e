"""Tell a person all that auth holds about them, and note in their security log that somebody was told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from kit.database import Scope
from kit.holdings import Held
from kit.passport import Caller

from auth.domain.clients import Client
from auth.domain.exporting import EXPORT_PERIOD, EXPORTS_MAX, AccountExport, TooManyExports
from auth.domain.security import SecurityKind
from auth.ports.store import Transactions
from auth.use_cases.presence import check_recent

HeldAbout = Callable[[UUID], Awaitable[Sequence[Held]]]
"""Everything about the person of an account."""


async def export_account(
    transactions: Transactions, caller: Caller, client: Client, *, held_about: HeldAbout
) -> AccountExport:
    """Raises `PresenceNeeded`, `TooManyExports`."""
    async with transactions(Scope.account(caller.account)) as store:
        await check_recent(store, caller)
        now, kind = store.now(), SecurityKind.DATA_EXPORTED
        if await store.security.count(caller.account, kind, since=now - EXPORT_PERIOD) >= EXPORTS_MAX:
            raise TooManyExports()
        await store.security.record(caller.account, kind, client, at=now, session_id=caller.session_id)
    return AccountExport(caller.account, now, await held_about(caller.account))
