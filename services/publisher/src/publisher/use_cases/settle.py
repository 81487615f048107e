"""The end of a step: the row as it is now, the change, its history and its event, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from publisher.domain.budget import Bill
from publisher.domain.publication import MOVES, Publication, State
from publisher.domain.telling import told_by
from publisher.ports import Change, Means, Store, Verdict


async def settle(
    claimed: Publication, change: Verdict, *, means: Means, keep: bool = False, bill: Bill | None = None
) -> Publication:
    """Apply a change to a publication that we have claimed, and let go of it unless we `keep` it.

    The change sees the row of this moment: it may have become due while we worked. If it leads to the step of the
    `bill`, that is paid with it; if it cannot be paid now, the publication waits instead, and nobody has it any more.
    Raises `ClaimLost` if somebody took it back or over.
    """
    return await means.settlements.settle(claimed, change, keep=keep, bill=bill)


async def settle_receipt(claimed: Publication, change: Verdict, *, means: Means) -> bool:
    """Apply a receipt although the claim is lost: what is out is out. False if it changes nothing any more."""
    async with means.work() as store:
        for current in await store.lock([claimed.publication_id]):
            if State.PUBLISHED in MOVES[current.state]:
                await write([(current, change(current).released())], store=store)
                return True
    return False


async def write(changes: Sequence[Change], *, store: Store, actor: UUID | None = None) -> None:
    """Keep changes of locked rows and tell them. `actor`: the person whose word they are."""
    changed = [(before, after) for before, after in changes if before != after]
    if changed:
        await store.save(changed, actor=actor)
    for change in changed:
        event = told_by(*change)
        if event is not None:
            store.emit(event)
