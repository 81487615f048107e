"""The clock edge: collect what is due, forget what can no longer be needed."""

from __future__ import annotations

from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope, Units

from metrics.domain import ENDED_KEPT
from metrics.ports import Insights, Store
from metrics.use_cases.collect import claim_due, record_answer

LOOK_EVERY_SECONDS = 0.5
"""How soon after its publication a post has its first numbers."""

FORGET_EVERY_SECONDS = 1.0
"""One cheap statement; short, so that a moved clock is noticed."""


def loops(units: Units[Store], insights: Insights, clock: Clock) -> list[Loop]:
    async def collect() -> float:
        async with units(Scope.worker()) as store:
            batches = await claim_due(store, insights, now=clock.now())
        if not batches:
            return LOOK_EVERY_SECONDS
        answers = await insights.ask(batches)
        for batch in batches:
            async with units(Scope.worker()) as store:
                await record_answer(batch, answers[batch.connection_id], store, now=clock.now())
        return 0

    async def forget() -> float:
        async with units(Scope.worker()) as store:
            await store.forget_ended(clock.now() - ENDED_KEPT)
        return FORGET_EVERY_SECONDS

    return [Loop("collect", collect), Loop("forget", forget)]
