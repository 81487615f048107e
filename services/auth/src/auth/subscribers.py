"""What auth hears from retention: duties to forget, those that are done, connections that must not come back."""

from __future__ import annotations

from contracts.retention import ErasureCompletedV1, ErasureRecalledV1
from kit.erasure import Eraser
from kit.subscription import Subscription

from auth.ports.store import Transactions
from auth.use_cases.disconnecting import recall
from auth.use_cases.hearing import note_completed


def subscriptions(transactions: Transactions, eraser: Eraser) -> list[Subscription]:
    subscription = eraser.subscription()

    @subscription.on(ErasureRecalledV1)
    async def end_again(event: ErasureRecalledV1) -> None:
        await recall(event.connection_id, erasure_id=event.erasure_id, store=transactions.joined())

    @subscription.on(ErasureCompletedV1)
    async def note(event: ErasureCompletedV1) -> None:
        await note_completed(event, transactions.joined())

    return [subscription]
