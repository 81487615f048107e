"""One transaction at the end of a step: the row as it is now, the change, its history and its event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from publisher.domain.publication import MOVES, Publication, State
from publisher.domain.telling import told_by
from publisher.ports import ClaimLost, Means, Store

Change = Callable[[Publication], Publication]


async def settle(claimed: Publication, change: Change, *, means: Means, keep: bool = False) -> Publication:
    """Apply a change to a publication that we have claimed, and let go of it unless we `keep` it.

    The change sees the row of this moment: it may have become due while we worked. Raises `ClaimLost` if
    somebody took it back or over.
    """
    async with means.work() as store:
        current = await store.lock(claimed.publication_id)
        if current is None or current.claim is None or current.claim != claimed.claim:
            raise ClaimLost
        after = change(current)
        return await write(current, after if keep else _released(after), store=store)


async def settle_receipt(claimed: Publication, change: Change, *, means: Means) -> bool:
    """Apply a receipt although the claim is lost: what is out is out. False if it changes nothing any more."""
    async with means.work() as store:
        current = await store.lock(claimed.publication_id)
        if current is None or State.PUBLISHED not in MOVES[current.state]:
            return False
        await write(current, _released(change(current)), store=store)
        return True


async def write(before: Publication, after: Publication, *, store: Store) -> Publication:
    """Keep a change of a locked row and tell it."""
    if after != before:
        await store.save(before, after)
    event = told_by(before, after)
    if event is not None:
        store.emit(event)
    return after


def _released(publication: Publication) -> Publication:
    return replace(publication, claim=None, leased_until=None)
