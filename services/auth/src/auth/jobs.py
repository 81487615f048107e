"""What auth does by itself: renew grants, finish what a crash interrupted, forget what is over.

Pauses are short and real; what is due is decided by the service's clock, which may be moved.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope

from auth.ports.letters import Post
from auth.ports.store import Transactions
from auth.ports.vault import Keys, Platforms, Vault
from auth.use_cases import refreshing, sending
from auth.use_cases.choosing import end_lapsed_choices
from auth.use_cases.closing import finish_stuck_deletions
from auth.use_cases.closing_workspaces import finish_stuck_workspaces
from auth.use_cases.disconnecting import finish_stuck
from auth.use_cases.ending_soon import end_lapsed, tell_people, watch_endings
from auth.use_cases.revoking_late import revoke_late
from auth.use_cases.sweeping import move_keys, sweep

LOOK_EVERY_SECONDS = 0.5
FORGET_EVERY = timedelta(seconds=30)
SWEEP_EVERY = timedelta(minutes=10)
"""Keys that nobody names are rare, and looking for them reads the id of every key."""


def refresh_loop(transactions: Transactions, platforms: Platforms, vault: Vault, nudged: asyncio.Event) -> Loop:
    async def step() -> float:
        claimed = await refreshing.refresh_due(transactions, platforms=platforms, vault=vault)
        return 0 if claimed == refreshing.AT_ONCE_MAX else LOOK_EVERY_SECONDS

    return Loop("refresh", step, nudged)


def ending_loop(transactions: Transactions, platforms: Platforms, vault: Vault) -> Loop:
    async def step() -> float:
        done = await finish_stuck(transactions, platforms=platforms, vault=vault)
        done += await finish_stuck_deletions(transactions, platforms=platforms, vault=vault)
        done += await finish_stuck_workspaces(transactions, platforms=platforms, vault=vault)
        done += await end_lapsed_choices(transactions, platforms=platforms, vault=vault)
        return 0 if done else LOOK_EVERY_SECONDS

    return Loop("ending", step)


def endings_loop(transactions: Transactions, grace: timedelta) -> Loop:
    async def step() -> float:
        done = await watch_endings(transactions) + await tell_people(transactions)
        done += await end_lapsed(transactions, grace=grace)
        return 0 if done else LOOK_EVERY_SECONDS

    return Loop("endings", step)


def late_revocation_loop(transactions: Transactions, platforms: Platforms, vault: Vault) -> Loop:
    async def step() -> float:
        asked = await revoke_late(transactions, platforms=platforms, vault=vault)
        return 0 if asked else LOOK_EVERY_SECONDS

    return Loop("late_revocation", step)


def letters_loop(transactions: Transactions, post: Post, web_url: str, written: asyncio.Event) -> Loop:
    async def step() -> float:
        taken = await sending.send_due(transactions, post=post, web_url=web_url)
        return 0 if taken == sending.AT_ONCE_MAX else LOOK_EVERY_SECONDS

    return Loop("letters", step, written)


def forgetting_loop(transactions: Transactions, clock: Clock) -> Loop:
    due_at: datetime | None = None

    async def step() -> float:
        nonlocal due_at
        now = clock.now()
        if due_at is None or now >= due_at:
            async with transactions(Scope.worker()) as store:
                await store.forget_stale()
            due_at = now + FORGET_EVERY
        return LOOK_EVERY_SECONDS

    return Loop("forgetting", step)


def sweeping_loop(transactions: Transactions, keys: Keys, clock: Clock) -> Loop:
    due_at: datetime | None = None

    async def step() -> float:
        nonlocal due_at
        now = clock.now()
        if due_at is None or now >= due_at:
            await move_keys(transactions, keys)
            await sweep(transactions, keys)
            due_at = now + SWEEP_EVERY
        return LOOK_EVERY_SECONDS

    return Loop("sweeping", step)
