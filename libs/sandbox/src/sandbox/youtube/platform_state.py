"""The imitated YouTube's state in one place, with the checks every API call begins with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kit.clock import Clock

from sandbox.truth import Post, PostedMedia, Truth
from sandbox.tuning import Tuning
from sandbox.youtube.answers import AnyRequest, ApiError
from sandbox.youtube.hub import Hub
from sandbox.youtube.state import (
    Asked,
    Channel,
    Client,
    Code,
    Comment,
    Grant,
    Item,
    Playlist,
    Quota,
    Session,
    Video,
)

NAME = "youtube"


class YouTubeState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        self.channels: dict[str, Channel] = {}
        self.playlists: dict[str, Playlist] = {}
        self.asked: dict[str, Asked] = {}
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.sessions: dict[str, Session] = {}
        self.videos: dict[str, Video] = {}
        self.comments: list[Comment] = []
        self.quota = Quota()
        self.planned_outcomes: list[dict[str, Any]] = []
        self.accept_bytes: list[int] = []
        """How much of the next chunks is stored, as Google may keep less than it was sent."""
        self.uploads_lag_seconds = 0.0
        """How far the playlist of a channel's uploads is behind."""
        self.hub = Hub(clock, tuning)
        for channel in (Channel("brand_one", "Brand One"), Channel("brand_two", "Brand Two")):
            self.add_channel(channel)

    def add_channel(self, channel: Channel) -> None:
        """A channel with one playlist of its own, named after its handle."""
        self.channels[channel.channel_id] = channel
        playlist_id = f"PL-{channel.handle}"
        self.playlists.setdefault(playlist_id, Playlist(playlist_id, channel.channel_id, "Everything"))

    def grant_of(self, token: str) -> Grant | None:
        """The living grant behind either kind of token."""
        for grant in self.grants:
            if not grant.revoked and (token in grant.access or token == grant.refresh_token):
                return grant
        return None

    def authenticate(self, request: AnyRequest, *scopes: str, cost: int = 1, bucket: str = "units") -> Grant:
        """The grant behind a bearer token, if it is alive, within its quota and has one of the scopes.

        What is refused counts as well, as at Google.
        """
        grant = self.signed_in(request)
        client = self.clients[grant.client_id]
        if not client.api_enabled:
            raise ApiError(403, "accessNotConfigured", "YouTube Data API is disabled.", domain="usageLimits")
        if self.tuning.rate_limits and self.quota.exceeded(grant.client_id, bucket, cost, self.clock.now()):
            message = "The request cannot be completed because you have exceeded your quota."
            raise ApiError(403, "quotaExceeded", message, domain="youtube.quota")
        if not set(scopes) & set(grant.scopes):
            message = "Request had insufficient authentication scopes."
            raise ApiError(403, "insufficientPermissions", message, domain="global")
        return grant

    def signed_in(self, request: AnyRequest) -> Grant:
        """The grant behind a bearer token, whatever it allows."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self.grant_of(token) if kind == "Bearer" and token else None
        if grant is None or grant.access.get(token, self.clock.now()) <= self.clock.now():
            raise ApiError(401, "authError", "Invalid Credentials", domain="global")
        return grant

    def channel_of(self, grant: Grant) -> Channel:
        """The channel that acts. Raises for a Google account without one."""
        channel = self.channels[grant.channel_id]
        if not channel.exists:
            raise ApiError(401, "youtubeSignupRequired", "The account has no channel.", domain="youtube.header")
        return channel

    def own_video(self, grant: Grant, video_id: str) -> Video:
        video = self.videos.get(video_id)
        if video is None:
            raise ApiError(404, "videoNotFound", "The video cannot be found.")
        if video.channel_id != grant.channel_id:
            raise ApiError(403, "forbidden", "The video belongs to another channel.")
        return video

    def uploads_within_a_day(self, channel_id: str) -> int:
        since = self.clock.now() - timedelta(days=1)
        return sum(video.uploaded_at > since for video in self.videos.values() if video.channel_id == channel_id)

    def uploads(self, channel_id: str) -> list[Item]:
        """The playlist YouTube keeps of a channel's videos, newest first."""
        listed = self.clock.now() - timedelta(seconds=self.uploads_lag_seconds)
        own = [v for v in self.videos.values() if v.channel_id == channel_id and v.uploaded_at <= listed]
        newest = sorted(own, key=lambda video: video.uploaded_at, reverse=True)
        return [Item(f"UU.{video.video_id}", video.video_id, video.uploaded_at) for video in newest]

    def shown(self, video: Video) -> None:
        """Bring the truth up to date with who may see a video. Showing it again is a second write."""
        if video.privacy == "private":
            if video.post is not None:
                video.post.removed = True
            return
        now = self.clock.now()
        if video.post is not None and not video.post.removed:
            video.post.writes += 1
            return
        planned = video.planned
        if any(planned.get(name) for name in ("rejection_reason", "failure_reason", "processing_failure_reason")):
            return
        video.post = Post(
            platform=NAME,
            account_id=video.channel_id,
            post_id=video.video_id,
            text=str(video.snippet.get("description", "")),
            media=self._files(video),
            settings=self._settings(video),
            posted_at=max(now, video.processed_at),
        )
        self.truth.add(video.post)
        self.hub.push(self.channels[video.channel_id], video, at=now)

    @staticmethod
    def _files(video: Video) -> tuple[PostedMedia, ...]:
        files = [PostedMedia(video.sha256, video.size, video.content_type)]
        if video.thumbnail:
            files.append(PostedMedia(*video.thumbnail, alt_text="thumbnail"))
        return tuple(files)

    def _settings(self, video: Video) -> dict[str, Any]:
        """What a test compares with the post's settings; comments and playlists are asked of the state."""
        snippet = {name: value for name, value in video.snippet.items() if name != "description"}
        return snippet | video.status | {"hasPaidProductPlacement": video.paid_promotion}
