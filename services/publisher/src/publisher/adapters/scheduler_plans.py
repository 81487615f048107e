"""scheduler's account of what was to go out, asked over HTTP in the publisher's own name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from kit.calls import CallRefused, Neighbour
from kit.problems import Unavailable

from publisher.domain.auditing import Due


class _Page(msgspec.Struct, frozen=True):
    due: list[Due]
    next: UUID | None


class SchedulerPlans:
    """Satisfies `ports.auditing.Plans`."""

    def __init__(self, scheduler: Neighbour) -> None:
        self._scheduler = scheduler

    async def due(self, since: datetime, until: datetime, after: UUID | None) -> tuple[list[Due], UUID | None]:
        asked = {"since": since.isoformat(), "until": until.isoformat(), "after": str(after) if after else None}
        page = await self._ask("/internal/due", asked)
        return page.due, page.next

    async def of(self, schedule_ids: Collection[UUID]) -> list[Due]:
        return (await self._ask("/internal/due/of", {"schedule_ids": [str(each) for each in schedule_ids]})).due

    async def _ask(self, path: str, asked: dict[str, Any]) -> _Page:
        try:
            return msgspec.convert(await self._scheduler.call("POST", path, json=asked), _Page)
        except CallRefused as refusal:
            raise Unavailable(f"scheduler refuses to say what was due ({refusal.code})") from refusal
