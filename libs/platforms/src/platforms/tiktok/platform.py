"""TikTok, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.removal import Removal
from platforms.shape import Call, Counts, PlatformName, Profile
from platforms.tiktok import oauth, rules, webhooks
from platforms.tiktok.answers import UserInfo, Videos
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.limits import INSIGHTS_IDS_MAX, KINDS, LIMITS
from platforms.tiktok.listing import Listing
from platforms.tiktok.posting import Posting
from platforms.tiktok.settings import TikTokSettings


class _Reading:
    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._api = TikTokApi(endpoints)

    async def profile(self, call: Call) -> Profile:
        """Ask only for granted fields: one outside the grant fails the whole call."""
        fields = ["open_id", "union_id", "avatar_url", "display_name"]
        if "user.info.profile" in call.grant.scopes:
            fields.append("username")
        user = (await self._api.get(call, "user/info/", UserInfo, fields=",".join(fields))).user
        display_name = user.display_name or ""
        return Profile(
            account_id=user.open_id or call.grant.account_id,
            handle=user.username or display_name,
            display_name=display_name,
            avatar_url=user.avatar_url or None,
            account_type=None,
            union_id=user.union_id or None,
        )

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Lifetime totals. TikTok counts views only once a video is public."""
        data = await self._api.post(
            call,
            "video/query/",
            {"filters": {"video_ids": list(post_ids)}},
            Videos,
            fields="id,view_count,like_count,comment_count,share_count",
        )
        return {
            video.id: Counts(
                views=video.view_count,
                likes=video.like_count,
                comments=video.comment_count,
                shares=video.share_count,
            )
            for video in data.videos
        }


def create(endpoints: TikTokEndpoints) -> ComposedPlatform:
    return ComposedPlatform(
        name=PlatformName.TIKTOK,
        scopes=oauth.SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_IDS_MAX,
        settings=TikTokSettings,
        rules=rules.check,
        authorising=oauth.OAuth(endpoints),
        posting=Posting(endpoints),
        reading=_Reading(endpoints),
        listing=Listing(TikTokApi(endpoints)),
        removal=Removal(
            "https://www.tiktok.com/tiktokstudio/content",
            "TikTok Studio, Posts, the post, More, Delete; or the three dots in the app.",
            offered=False,
        ),
        webhooks=webhooks.Webhooks(),
        secret_facts=("upload_url",),
    )


def _place(base: str | None) -> Placed:
    endpoints = TikTokEndpoints(base, base, (urlsplit(base).netloc,)) if base else TikTokEndpoints()
    return Placed(create(endpoints), (urlsplit(endpoints.api).netloc, *endpoints.upload_hosts))


ACCESS = Access(
    Renewal.ROLLING,
    Reach.AUTHORISATION,
    Withdrawal(
        "https://support.tiktok.com/en/safety-hc/account-and-user-safety/connect-to-third-party-apps",
        "In the TikTok app: Settings and privacy, Security & permissions, Apps and services permissions.",
    ),
)

TIKTOK = Entry(PlatformName.TIKTOK, _place, ACCESS, post_hosts=("tiktok.com",))
