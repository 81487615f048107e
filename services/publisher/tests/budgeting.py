"""Rates to try budgets with, and publications that are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import httpx
from kit.ids import new_id
from kit.testing import wait_for
from platforms.limits import Per, RateLimit, Spending, once
from publisher.domain.publication import Publication, State

from services.publisher.tests.conftest import HOUR, Plan, World

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
POSTS_OF_HOUR = RateLimit("posts", 3, HOUR, Per.ACCOUNT, Spending("posts", publishing=once))
STARTS_OF_HOUR = RateLimit("starts of a post", 3, HOUR, Per.ACCOUNT, Spending("starts", staging=once))
POSTS_OF_ALL = RateLimit("posts", 4, HOUR, Per.APPLICATION, Spending("posts_of_all", publishing=once))


def plans_of(world: World, count: int, connection_id: UUID | None = None) -> list[Plan]:
    """Posts that are due now, all to one connection."""
    connection_id = connection_id or world.auth.connect(world.workspace_id)
    return [world.plan_for(world.content.approve(world.workspace_id, (connection_id,))) for _ in range(count)]


async def until(world: World, client: httpx.AsyncClient, plans: Sequence[Plan], **expected: int) -> None:
    """Wait until so many of these publications are in each state; one that waits for a budget is `budget`."""
    schedules = {str(plan.schedule_id) for plan in plans}
    found: dict[str, int] = {}

    async def reached() -> bool:
        found.clear()
        for row in await world.seen(client):
            if row["schedule_id"] in schedules:
                word = "budget" if row["code"] == "budget" and row["state"] != "missed" else row["state"]
                found[word] = found.get(word, 0) + 1
        return found == expected

    try:
        await wait_for(reached, 20)
    except AssertionError:
        raise AssertionError(f"waited for {expected}, but: {found}") from None


def publication(workspace_id: UUID | None = None, connection_id: UUID | None = None, **changes: object) -> Publication:
    made = Publication(
        publication_id=new_id(),
        workspace_id=workspace_id or new_id(),
        schedule_id=new_id(),
        occurrence=1,
        post_id=new_id(),
        revision_id=new_id(),
        connection_id=connection_id or new_id(),
        due_at=NOW,
        created_at=NOW,
        platform="bluesky",
        state=State.STAGED,
        due=True,
        next_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]
