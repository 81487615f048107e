"""The clock edge: orphans are removed when their time has come."""

from __future__ import annotations

from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope, Units

from content.ports import ObjectStore, Store
from content.use_cases.remove_orphans import BATCH, remove_orphans

LOOK_EVERY_SECONDS = 1.0
"""One look-up in a small index; often, so that a moved clock is noticed."""


def orphans(units: Units[Store], objects: ObjectStore, clock: Clock) -> Loop:
    async def step() -> float:
        removed = await remove_orphans(objects=objects, open_store=lambda: units(Scope.worker()), clock=clock)
        return 0 if removed == BATCH else LOOK_EVERY_SECONDS

    return Loop("orphans", step)
