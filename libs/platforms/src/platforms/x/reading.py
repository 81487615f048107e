"""Who the account is, and what became of its posts in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from platforms.shape import Call, Counts, Profile
from platforms.x import answers
from platforms.x.api import XApi
from platforms.x.limits import PRIVATE_METRICS_DAYS

PUBLIC = "public_metrics"
PRIVATE = "public_metrics,non_public_metrics"
_FIRST_MILLISECOND = 1_288_834_974_657
"""X's ids hold the time of their making, in milliseconds from this moment of 2010."""


class Reading:
    def __init__(self, api: XApi) -> None:
        self._api = api

    async def user(self, call: Call) -> answers.User:
        fields = "id,name,username,profile_image_url,verified_type,subscription_type"
        return await self._api.get(call, "users/me", answers.User, query={"user.fields": fields})

    async def profile(self, call: Call) -> Profile:
        user = await self.user(call)
        return Profile(
            account_id=user.id,
            handle=user.username,
            display_name=user.name or user.username,
            avatar_url=user.profile_image_url or None,
            account_type=None if user.verified_type == "none" else user.verified_type,
        )

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Clicks are told to the author only, and for 30 days; what is refused with them is asked for without."""
        counts: dict[str, Counts] = {}
        young = [post_id for post_id in post_ids if _is_young(post_id, call.clock.now())]
        withheld = await self._count(call, young, PRIVATE, counts)
        old = [post_id for post_id in post_ids if post_id not in young]
        await self._count(call, [*old, *withheld], PUBLIC, counts)
        return counts

    async def _count(self, call: Call, post_ids: Sequence[str], fields: str, into: dict[str, Counts]) -> list[str]:
        """Add the counts of these posts; returns those that are not told together with private numbers."""
        if not post_ids:
            return []
        query = {"ids": ",".join(post_ids), "tweet.fields": fields}
        page = await self._api.get_whole(call, "tweets", answers.Posts, query=query)
        into.update({post.id: _counts(post) for post in page.data})
        return [post_id for post_id in post_ids if post_id not in into and post_id in _refused(page.errors)]


def made_at(post_id: str) -> datetime:
    return datetime.fromtimestamp(((int(post_id) >> 22) + _FIRST_MILLISECOND) / 1000, UTC)


def _is_young(post_id: str, now: datetime) -> bool:
    return now - made_at(post_id) < timedelta(days=PRIVATE_METRICS_DAYS)


def _refused(problems: Iterable[answers.Problem]) -> set[str]:
    return {
        problem.resource_id or problem.value or ""
        for problem in problems
        if problem.type.endswith(("not-authorized-for-resource", "not-authorized-for-field"))
    }


def _counts(post: answers.Post) -> Counts:
    """What X shows as views is its number of impressions."""
    public = post.public_metrics or answers.PublicMetrics()
    private = post.non_public_metrics or answers.PrivateMetrics()
    return Counts(
        views=public.impression_count,
        likes=public.like_count,
        comments=public.reply_count,
        shares=public.shares,
        impressions=public.impression_count if private.impression_count is None else private.impression_count,
        saves=public.bookmark_count,
        clicks=private.url_link_clicks,
    )
