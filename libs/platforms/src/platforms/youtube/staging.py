"""Bringing a video's bytes to YouTube, once, whatever breaks off in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from platforms.errors import Rejected, Transient
from platforms.shape import Call, Delivery, Journal, Media
from platforms.youtube import answers
from platforms.youtube.api import YouTubeApi
from platforms.youtube.channels import Channels
from platforms.youtube.errors import REASONS
from platforms.youtube.limits import LISTED_MAX, VIDEO_SECONDS_UNVERIFIED_MAX
from platforms.youtube.outcomes import REJECTIONS
from platforms.youtube.resources import INSERT_PARTS, new_video
from platforms.youtube.settings import YouTubeSettings
from platforms.youtube.upload import Progress, Session, SessionGone, chunk_end, probe, put_chunk, start

STALLS_MAX = 5
CLOCKS_APART = timedelta(minutes=5)
"""How far Google's clock may be behind ours when times of the two are compared."""


class Staging:
    """The upload half of posting."""

    def __init__(self, api: YouTubeApi, channels: Channels) -> None:
        self._api = api
        self._channels = channels

    async def upload(
        self, call: Call, delivery: Delivery, video: Media, settings: YouTubeSettings, journal: Journal
    ) -> answers.Video:
        """Go on with the session of the journal, or begin one; the video's id is recorded when it is complete."""
        session, progress = Session.from_facts(journal.facts), Progress(0)
        if session is not None:
            try:
                progress = await probe(call, session, video)
            except SessionGone:
                found = await self._uploaded(call, delivery, video, settings, session, journal)
                if found is not None:
                    return await _complete(journal, found)
                session = None
        if session is None:
            await self._refuse_what_the_channel_cannot(call, video, settings)
            notify = settings.notify_subscribers
            document = new_video(delivery, settings)
            session = await start(call, self._api.endpoints, video, document, parts=INSERT_PARTS, notify=notify)
            await journal.record(**session.to_facts())
        try:
            return await _complete(journal, await _fill(call, session, video, progress, journal))
        except SessionGone:
            raise Transient("session_expired", "the upload's session has expired; a new one is needed") from None

    async def _uploaded(
        self,
        call: Call,
        delivery: Delivery,
        video: Media,
        settings: YouTubeSettings,
        session: Session,
        journal: Journal,
    ) -> answers.Video | None:
        """The video a lost session may have made, if it is ours beyond doubt.

        A wrong one would show something that nobody approved, while a private video too many harms nobody.
        """
        if not session.last_chunk_tried:
            return None
        candidates = [
            item.content_details.video_id
            for item in await self._newest(call)
            if item.status.privacy_status == "private"
            and item.snippet.title.strip() == settings.title.strip()
            and item.snippet.description.strip() == delivery.text.strip()
            and _not_before(item.snippet.published_at, session.started_at - CLOCKS_APART)
            and item.content_details.video_id not in journal.facts.get("abandoned_video_ids", [])
        ]
        if not candidates:
            return None
        query = {"part": "status,processingDetails,fileDetails", "id": ",".join(filter(None, candidates))}
        found = (await self._api.get(call, "videos", query, answers.Videos)).items
        ours = [item for item in found if item.file_details.file_size == video.size_bytes]
        return ours[0] if len(ours) == 1 else None

    async def _newest(self, call: Call) -> Sequence[answers.PlaylistItem]:
        """The channel's latest uploads, private ones included; the list may lag by minutes."""
        channel = await self._channels.own(call, "contentDetails")
        playlist = channel.content_details.related_playlists.uploads
        if playlist is None:
            return []
        query = {"part": "snippet,contentDetails,status", "playlistId": playlist, "maxResults": str(LISTED_MAX)}
        return (await self._api.get(call, "playlistItems", query, answers.PlaylistItems)).items

    async def _refuse_what_the_channel_cannot(self, call: Call, video: Media, settings: YouTubeSettings) -> None:
        """Ask before gigabytes are sent, and before a start of an upload is used up."""
        if (video.duration_seconds or 0) > VIDEO_SECONDS_UNVERIFIED_MAX:
            channel = await self._channels.own(call, "status")
            if channel.status.long_uploads_status in ("disallowed", "eligible"):
                row = REJECTIONS["length"]
                raise Rejected("length", row.detail, advice=row.advice)
        if settings.playlist_id:
            query = {"part": "snippet", "id": settings.playlist_id}
            found = (await self._api.get(call, "playlists", query, answers.Playlists)).items
            if not any(item.snippet.channel_id == call.grant.account_id for item in found):
                missing = REASONS["playlistNotFound"]
                raise Rejected("playlistNotFound", missing.detail, advice=missing.advice)


async def _fill(call: Call, session: Session, video: Media, progress: Progress, journal: Journal) -> answers.Video:
    """Send what Google lacks, going by what it says it holds, whatever was sent before."""
    stored, stalls = progress.stored_bytes, 0
    while progress.video is None:
        if stored >= video.size_bytes or stalls > STALLS_MAX:
            raise Transient("no_progress", "YouTube's upload does not move on")
        if chunk_end(stored, video.size_bytes) == video.size_bytes:
            await journal.record(last_chunk_tried=True)
        progress = await put_chunk(call, session, video, stored)
        stalls = stalls + 1 if progress.stored_bytes <= stored else 0
        stored = progress.stored_bytes
        if progress.video is None:
            await journal.record(stored_bytes=stored)
    return progress.video


async def _complete(journal: Journal, video: answers.Video) -> answers.Video:
    """The id is all that is needed from here on; the session's address is forgotten."""
    await journal.record(video_id=video.id, session_uri=None)
    return video


def _not_before(told: str | None, moment: datetime) -> bool:
    try:
        return told is not None and datetime.fromisoformat(told) >= moment
    except ValueError:
        return False
