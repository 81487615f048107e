"""What nobody needs any more is dropped."""

from __future__ import annotations

from datetime import datetime, timedelta

from kit.background import Loop

from publisher.ports import Means

JOURNAL_KEPT = timedelta(days=30)
"""Of what has failed or needs a person: longer than anybody may try again."""

FORGET_EVERY = timedelta(hours=1)
LOOK_SECONDS = 5.0
"""The clock may be moved; looking at it costs nothing."""


def forgetting(means: Means) -> Loop:
    """Drop the journals of what nobody will try again."""
    due_at: datetime | None = None

    async def step() -> float:
        nonlocal due_at
        now = means.clock.now()
        if due_at is None or now >= due_at:
            async with means.work() as store:
                await store.forget_journals(before=now - JOURNAL_KEPT)
            due_at = now + FORGET_EVERY
        return LOOK_SECONDS

    return Loop("forget", step)
