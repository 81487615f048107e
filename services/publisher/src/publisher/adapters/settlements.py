"""Ends of steps in PostgreSQL. Those of one moment share a transaction: while it is under way, the next ones gather.

Steps that begin by being paid, and so wait for the budgets of others, are not in the way of those that end.

A change that PostgreSQL refuses is tried again alone, so that it spoils no other's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg
from kit.batching import Batcher
from kit.clock import Clock

from publisher.domain.budget import Bill
from publisher.domain.preflight import warned_of_budget
from publisher.domain.publication import Publication
from publisher.domain.sharing import Ask
from publisher.domain.telling import told_by
from publisher.domain.waiting import wait_for_budget
from publisher.ports import Change, ClaimLost, Store, Verdict

TOGETHER_MAX = 200
"""Rows of one transaction: locked for some milliseconds."""


@dataclass(frozen=True)
class _Ending:
    """`context` is that of the step, so that its event is told in its trace."""

    claimed: Publication
    change: Verdict
    keep: bool
    bill: Bill | None
    context: Context


class GatheredSettlements:
    """Satisfies `ports.Settlements`."""

    def __init__(self, work: Callable[[], AbstractAsyncContextManager[Store]], clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._paid: Batcher[_Ending, Publication] = Batcher(self._settle_all, size_max=TOGETHER_MAX)
        self._free: Batcher[_Ending, Publication] = Batcher(self._settle_all, size_max=TOGETHER_MAX)

    async def settle(
        self, claimed: Publication, change: Verdict, *, keep: bool, bill: Bill | None = None
    ) -> Publication:
        batcher = self._free if bill is None else self._paid
        return await batcher.do(_Ending(claimed, change, keep, bill, copy_context()))

    async def _settle_all(self, endings: Sequence[_Ending]) -> list[Publication | Exception]:
        try:
            return await self._settle_together(endings)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            if len(endings) == 1:
                return [error]
        return [(await self._settle_all([ending]))[0] for ending in endings]

    async def _settle_together(self, endings: Sequence[_Ending]) -> list[Publication | Exception]:
        async with self._work() as store:
            locked = await store.lock([ending.claimed.publication_id for ending in endings])
            rows = {row.publication_id: row for row in locked}
            # Taken out: of two that end one step, the second has lost its claim to the first.
            before = [rows.pop(ending.claimed.publication_id, None) for ending in endings]
            results = [_after(ending, current) for ending, current in zip(endings, before, strict=True)]
            await self._pay(endings, before, results, store)
            changes = [
                (ending.context, (current, result))
                for ending, current, result in zip(endings, before, results, strict=True)
                if current is not None and isinstance(result, Publication) and result != current
            ]
            if changes:
                await store.save([change for _, change in changes])
            for context, change in changes:
                context.run(_tell, change, store)
        return results

    async def _pay(
        self,
        endings: Sequence[_Ending],
        before: Sequence[Publication | None],
        results: list[Publication | Exception],
        store: Store,
    ) -> None:
        """Pay the bills of the steps that begin; what cannot be paid waits where it was."""
        now = self._clock.now()
        asks: dict[int, Ask] = {}
        for index, (ending, result) in enumerate(zip(endings, results, strict=True)):
            if ending.bill and isinstance(result, Publication) and result.state is ending.bill.step.state:
                asks[index] = Ask(result, ending.bill)
        if not asks:
            return
        for (index, ask), payment in zip(asks.items(), await store.charge(list(asks.values())), strict=True):
            current = before[index]
            if payment.shortage is not None and current is not None:
                waits = wait_for_budget(current, now, payment.shortage).released()
                results[index] = replace(waits, platform=ask.publication.platform)
            else:
                results[index] = warned_of_budget(_paid(ask, now), payment.foreseen)


def _paid(ask: Ask, now: datetime) -> Publication:
    if not ask.bill.charges:
        return ask.publication
    return replace(ask.publication, paid={**(ask.publication.paid or {}), **ask.bill.paid(now)})


def _tell(change: Change, store: Store) -> None:
    event = told_by(*change)
    if event is not None:
        store.emit(event)


def _after(ending: _Ending, current: Publication | None) -> Publication | Exception:
    if current is None or current.claim is None or current.claim != ending.claimed.claim:
        return ClaimLost()
    try:
        after = ending.change(current)
    except Exception as error:
        return error
    return after if ending.keep else after.released()
