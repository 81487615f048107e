"""What auth hears from retention: duties to forget, and connections that must not come back."""

from __future__ import annotations

from contracts.retention import ErasureRecalledV1
from kit.erasure import Eraser
from kit.subscription import Subscription

from auth.ports.store import Transactions
from auth.use_cases.disconnecting import recall


def subscriptions(transactions: Transactions, eraser: Eraser) -> list[Subscription]:
    subscription = eraser.subscription()

    @subscription.on(ErasureRecalledV1)
    async def end_again(event: ErasureRecalledV1) -> None:
        await recall(event.connection_id, erasure_id=event.erasure_id, store=transactions.joined())

    return [subscription]
