"""The series' edge to the clock: writes each of them out as schedules, two weeks ahead."""

from __future__ import annotations

from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope, Units
from opentelemetry.trace import Tracer

from scheduler.ports import Store
from scheduler.use_cases.unfold_series import unfold_next

LOOK_EVERY_SECONDS = 2.0
"""Series are written out two weeks ahead, so seconds do not count; a look is one entry of an index."""


class Unfolding:
    """Schedulers share the series: each takes one that no other holds."""

    def __init__(self, units: Units[Store], clock: Clock, tracer: Tracer) -> None:
        self._units = units
        self._clock = clock
        self._tracer = tracer

    def loop(self) -> Loop:
        return Loop("series", self._step)

    async def _step(self) -> float:
        async with self._units(Scope.worker()) as store:
            found = await unfold_next(store=store, now=self._clock.now(), tracer=self._tracer)
        return 0 if found else LOOK_EVERY_SECONDS
