"""Where a publication stands at TikTok, asked by its `publish_id`, and what that means for us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from platforms.shape import Call, Outcome, Processing, Published, Receipt, Refused
from platforms.tiktok.answers import Status
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.errors import refusal
from platforms.tiktok.limits import PROCESSING_ASK_AGAIN_SECONDS


class Standing:
    """Asks and judges; videos and photos have it in common."""

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._api = TikTokApi(endpoints)
        self._web = endpoints.web

    async def ask(self, call: Call, publish_id: str) -> Status:
        return await self._api.post(call, "post/publish/status/fetch/", {"publish_id": publish_id}, Status)

    def judge(
        self,
        status: Status,
        *,
        kind: Literal["video", "photo"],
        evidence: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> Outcome:
        """The outcome; `facts` are the journal's, where the creator's name was written before the post."""
        match status.status:
            case "PUBLISH_COMPLETE":
                post_id, username = status.post_id(), facts.get("creator_username")
                url = f"{self._web}/@{username}/{kind}/{post_id}" if username and post_id else None
                return Published(Receipt(post_id, url, evidence))
            case "FAILED":
                return refusal(status.fail_reason)
            case "SEND_TO_USER_INBOX":
                return Refused(
                    "sent_to_inbox", "TikTok made a draft instead of a post", "Finish the post in TikTok's app."
                )
            case _:
                return Processing(PROCESSING_ASK_AGAIN_SECONDS, evidence)
