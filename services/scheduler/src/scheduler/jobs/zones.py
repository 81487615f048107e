"""The edge where a new release of the time zone database is noticed."""

from __future__ import annotations

from kit.background import Loop
from kit.database import Scope, Units

from scheduler.domain.zones import Zones
from scheduler.ports import Store
from scheduler.use_cases.renew_zones import BATCH, renew_zones

LOOK_EVERY_SECONDS = 60.0
"""A release comes with a new scheduler, and everything is renewed when that starts. Later only what an older scheduler
made beside it is left, and a look is one entry of an index."""


class Renewing:
    """Brings every planned schedule to the release that is installed."""

    def __init__(self, units: Units[Store], zones: Zones) -> None:
        self._units = units
        self._zones = zones

    def loop(self) -> Loop:
        return Loop("zones", self._step)

    async def _step(self) -> float:
        async with self._units(Scope.worker()) as store:
            looked_at = await renew_zones(self._zones, store=store)
        return 0 if looked_at == BATCH else LOOK_EVERY_SECONDS
