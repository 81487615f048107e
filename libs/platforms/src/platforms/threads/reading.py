"""Who the account is, where its posts are, and their numbers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from platforms.errors import PlatformError
from platforms.shape import Call, Counts, Profile
from platforms.threads.answers import Linked, Metrics, User
from platforms.threads.api import ThreadsApi
from platforms.threads.errors import GONE
from platforms.threads.limits import INSIGHTS_AT_ONCE

METRICS = ("views", "likes", "replies", "reposts", "quotes", "shares")


class Reading:
    """Satisfies `platforms.composed.Reading`."""

    def __init__(self, api: ThreadsApi) -> None:
        self._api = api

    async def profile(self, call: Call) -> Profile:
        user = await self._api.get(call, "me", User, fields="id,username,name,threads_profile_picture_url")
        return Profile(
            account_id=user.id,
            handle=user.username,
            display_name=user.name or user.username,
            avatar_url=user.threads_profile_picture_url,
            account_type=None,
        )

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """One call for each post, a few at a time."""
        places = asyncio.Semaphore(INSIGHTS_AT_ONCE)

        async def count(post_id: str) -> Counts | None:
            async with places:
                return await self._count(call, post_id)

        async with asyncio.TaskGroup() as group:
            tasks = {post_id: group.create_task(count(post_id)) for post_id in post_ids}
        return {post_id: counts for post_id, task in tasks.items() if (counts := task.result()) is not None}

    async def permalink(self, call: Call, post_id: str) -> str | None:
        """Where people see the post; whatever goes wrong, the post is out, so nothing is raised."""
        with contextlib.suppress(PlatformError):
            return (await self._api.get(call, post_id, Linked, fields="id,permalink")).permalink
        return None

    async def _count(self, call: Call, post_id: str) -> Counts | None:
        try:
            told = await self._api.get(call, f"{post_id}/insights", Metrics, metric=",".join(METRICS))
        except PlatformError as error:
            if error.code in GONE:
                return None
            raise
        numbers = {metric.name: metric.number for metric in told.data}
        spread = [numbers[name] for name in ("reposts", "quotes", "shares") if numbers.get(name) is not None]
        return Counts(
            views=numbers.get("views"),
            likes=numbers.get("likes"),
            comments=numbers.get("replies"),
            shares=sum(filter(None, spread)) if spread else None,
        )
