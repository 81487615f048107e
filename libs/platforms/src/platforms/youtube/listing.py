"""The channel's own videos that somebody may see. What is only staged is private, and is no post yet."""

from __future__ import annotations

from datetime import UTC, datetime

from platforms.shape import Call, OwnPosts, Shown
from platforms.youtube import answers
from platforms.youtube.api import YouTubeApi
from platforms.youtube.channels import Channels
from platforms.youtube.limits import LISTED_MAX

LEFT_OUT = "private videos, and those uploaded long before they were shown"


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, api: YouTubeApi, channels: Channels) -> None:
        self._api = api
        self._channels = channels

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        """From the list of what was uploaded, newest first, one page of it."""
        playlist = (await self._channels.own(call, "contentDetails")).content_details.related_playlists.uploads
        if playlist is None:
            return OwnPosts((), complete=False, left_out="YouTube does not name the list of the channel's videos")
        query = {"part": "snippet,contentDetails,status", "playlistId": playlist, "maxResults": str(LISTED_MAX)}
        items = (await self._api.get(call, "playlistItems", query, answers.PlaylistItems)).items
        posts = [
            Shown(item.content_details.video_id, moment, item.snippet.description)
            for item in items
            if item.content_details.video_id
            and item.status.privacy_status != "private"
            and (moment := _moment(item.snippet.published_at)) >= since
        ]
        return OwnPosts(tuple(posts), complete=len(items) < LISTED_MAX, left_out=LEFT_OUT)


def _moment(text: str | None) -> datetime:
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
