"""Who the account is, which boards it has, and its pins in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from platforms.pinterest.answers import Account, Analytics
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.limits import INSIGHTS_DAYS_MAX
from platforms.shape import Call, Counts, Profile

METRICS = ("IMPRESSION", "OUTBOUND_CLICK", "SAVE", "TOTAL_COMMENTS", "TOTAL_REACTIONS", "VIDEO_MRC_VIEW")


class Reading:
    """The reading half of the Pinterest client."""

    def __init__(self, api: PinterestApi) -> None:
        self._api = api

    async def profile(self, call: Call) -> Profile:
        account = await self._api.get(call, "/user_account", Account)
        return Profile(
            account_id=account.id,
            handle=account.username,
            display_name=account.business_name or account.username,
            avatar_url=account.profile_image,
            account_type=account.account_type.lower() if account.account_type else None,
        )

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Comments and reactions over the pin's life; what Pinterest counts by day, over the last 90 days."""
        today = call.clock.now().date()
        query = {
            "pin_ids": list(post_ids),
            "start_date": (today - timedelta(days=INSIGHTS_DAYS_MAX - 1)).isoformat(),
            "end_date": today.isoformat(),
            "metric_types": ",".join(METRICS),
        }
        answer = await self._api.get(call, "/pins/analytics", dict[str, Analytics], query=query)
        return {pin_id: _counts(analytics) for pin_id, analytics in answer.items()}


def _counts(analytics: Analytics) -> Counts:
    told = {**analytics.all.summary_metrics, **analytics.all.lifetime_metrics}

    def number(name: str) -> int | None:
        return int(told[name]) if name in told else None

    return Counts(
        views=number("VIDEO_MRC_VIEW"),
        likes=number("TOTAL_REACTIONS"),
        comments=number("TOTAL_COMMENTS"),
        shares=number("SAVE"),
        saves=number("SAVE"),
        impressions=number("IMPRESSION"),
        clicks=number("OUTBOUND_CLICK"),
    )
