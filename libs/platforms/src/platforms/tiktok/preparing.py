"""What comes before every TikTok post: our own rules, and what the account offers at this minute."""

from __future__ import annotations

import msgspec

from platforms.errors import Rejected
from platforms.shape import Call, Delivery
from platforms.tiktok.answers import Creator
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.rules import check
from platforms.tiktok.settings import TikTokSettings


def prepared(delivery: Delivery) -> TikTokSettings:
    """The typed settings of a post that breaks no rule; else the first rule is raised."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
    return msgspec.convert(dict(delivery.settings), TikTokSettings)


async def ask_creator(
    api: TikTokApi, call: Call, settings: TikTokSettings, *, video_seconds: float | None = None
) -> str | None:
    """The creator's user name, if the account may post this now. A choice that is gone is never downgraded."""
    creator = await api.post(call, "post/publish/creator_info/query/", {}, Creator)
    if settings.privacy_level not in creator.privacy_level_options:
        raise Rejected(
            "privacy_level_option_mismatch",
            "the account no longer offers the chosen audience",
            advice="Choose again who can see the post, from what the account offers now.",
        )
    longest = creator.max_video_post_duration_sec
    if longest is not None and (video_seconds or 0) > longest:
        raise Rejected(
            "duration_check_failed",
            f"the account may post videos of at most {longest:g} s",
            advice="Cut the video, or post it from an account that may post longer ones.",
        )
    return creator.creator_username
