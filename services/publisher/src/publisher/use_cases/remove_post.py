"""A published post is taken off its platform again: a person asks for it, and a worker does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from contracts.leases import LEASE_SECONDS
from kit.problems import Unavailable
from platforms.errors import PlatformError, Transient
from platforms.shape import Receipt

from publisher.domain.publication import PublicationNotFound
from publisher.domain.removal import Removal, RemovalState, asked
from publisher.domain.telling import told_of_removal
from publisher.ports import GrantRefused, Means, Removing, Store

log = structlog.get_logger("remove")

REMOVE_SECONDS = LEASE_SECONDS - 5.0
"""A try ends within the lease of its grant. A long thread is gone on with in the next one."""


async def ask_removal(publication_id: UUID, *, by: UUID, store: Store, removing: Removing, now: datetime) -> Removal:
    """The removal, whoever asked for it first. Raises `PublicationNotFound`, `NothingPublished`, `PostUnidentified`.

    One that failed, or was not possible, is asked for anew.
    """
    for publication in await store.lock([publication_id]):
        known = (await store.removals([publication_id])).get(publication_id)
        if known is not None and known.settled:
            return known
        removal = asked(publication, removing.rules(publication.platform), by=by, now=now)
        await store.keep_removal(removal, actor=by)
        return removal
    raise PublicationNotFound()


async def work_removal(removal: Removal, *, means: Means) -> None:
    """Try a claimed removal once. Every ending becomes a state; a lost claim changes nothing."""
    change = await _try(removal, means=means)
    async with means.work() as store:
        current = await store.lock_removal(removal)
        if current is None:
            log.info("removal_claim_lost", publication_id=str(removal.publication_id))
            return
        after = replace(change(current), claim=None, leased_until=None)
        await store.keep_removal(after)
        if after.state is RemovalState.REMOVED:
            publication = await store.find(after.publication_id)
            assert publication is not None
            store.emit(told_of_removal(publication, means.clock.now()))
    log.info("removal_tried", publication_id=str(after.publication_id), state=after.state.value, code=after.code)


async def _try(removal: Removal, *, means: Means) -> Callable[[Removal], Removal]:
    """Call the platform, and say what its answer changes."""
    async with means.work() as store:
        publication = await store.find(removal.publication_id)
    now = means.clock.now
    rules = means.removing.rules(publication.platform if publication else None)
    if publication is None or publication.platform_post_id is None:
        # What the platform called it was forgotten with its connection.
        return lambda row: row.refused("revoked", rules, now())
    receipt = Receipt(publication.platform_post_id, publication.url, publication.evidence or {})
    try:
        async with means.grants.borrow(publication) as grant, asyncio.timeout(REMOVE_SECONDS):
            outcome = await means.removing.remove(publication.platform, grant, receipt)
    except GrantRefused as refusal:
        code = refusal.code
        return lambda row: row.refused(code, rules, now())
    except Unavailable:
        by_hand = rules.advice if rules else ""
        return lambda row: row.later(now(), code="neighbour_unavailable", by_hand=by_hand)
    except Exception as broken:
        error = _as_platform_error(broken)
        return lambda row: row.failed(error, rules, now())
    return lambda row: row.removed(outcome, now())


def _as_platform_error(error: Exception) -> PlatformError:
    """Repeating does no harm, so what broke on the way is tried again like what the platform failed at."""
    if isinstance(error, PlatformError):
        return error
    if isinstance(error, TimeoutError):
        return Transient("no_answer", f"no answer within {REMOVE_SECONDS:.0f} s")
    log.error("removal_broke", exc_info=error)
    return Transient("internal", f"the try broke off ({type(error).__name__})")
