"""The channels that a grant can act for. Google lets a person choose one at the consent, so it is mostly one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from platforms.errors import ReauthorisationNeeded, Rejected
from platforms.shape import Call, Grant, Profile
from platforms.youtube import answers
from platforms.youtube.answers import Channel
from platforms.youtube.api import YouTubeApi
from platforms.youtube.errors import REASONS
from platforms.youtube.limits import CHANNELS_PAGES_MAX, LISTED_MAX


class Channels:
    """Satisfies `platforms.composed.Choosing`."""

    def __init__(self, api: YouTubeApi) -> None:
        self._api = api

    async def accounts(self, call: Call) -> Sequence[Profile]:
        return [profile_of(channel) for channel in await self._mine(call, "snippet")]

    async def act_for(self, call: Call, account_id: str) -> Grant:
        """The grant for one of its channels. Another channel of the person needs a consent of its own."""
        if any(channel.id == account_id for channel in await self._mine(call, "id")):
            return replace(call.grant, account_id=account_id)
        raise ReauthorisationNeeded("channel_not_granted", "the consent was given for another channel; choose it there")

    async def first(self, call: Call) -> Grant:
        """The grant for the channel chosen at the consent. Raises `Rejected` if the account has none."""
        return replace(call.grant, account_id=(await self._mine(call, "id"))[0].id)

    async def own(self, call: Call, part: str) -> Channel:
        """The channel the grant is for."""
        for channel in await self._mine(call, part):
            if channel.id == call.grant.account_id:
                return channel
        raise ReauthorisationNeeded("channel_not_granted", "the grant is no longer for this channel")

    async def _mine(self, call: Call, part: str) -> list[Channel]:
        found: list[Channel] = []
        query = {"part": part, "mine": "true", "maxResults": str(LISTED_MAX)}
        for _ in range(CHANNELS_PAGES_MAX):
            page = await self._api.get(call, "channels", query, answers.Channels)
            found += page.items
            if not page.next_page_token:
                break
            query["pageToken"] = page.next_page_token
        if not found:
            row = REASONS["youtubeSignupRequired"]
            raise Rejected("youtubeSignupRequired", row.detail, advice=row.advice)
        return found


def profile_of(channel: Channel) -> Profile:
    pictures = [picture.url for picture in channel.snippet.thumbnails.values() if picture.url]
    return Profile(
        account_id=channel.id,
        handle=channel.snippet.custom_url or channel.snippet.title,
        display_name=channel.snippet.title,
        avatar_url=pictures[0] if pictures else None,
        account_type=None,
    )
