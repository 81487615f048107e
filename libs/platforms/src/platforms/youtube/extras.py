"""What is added to a video: its thumbnail, its place in a playlist, its first comment.

The post is the video. So nothing here may keep a video from being told as published: what YouTube refuses
is noted and left out, what fails is tried a few times. Each step is in the journal and is done once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.shape import Call, Journal, Media
from platforms.wire import send
from platforms.youtube import answers
from platforms.youtube.api import YouTubeApi, bearer, checked
from platforms.youtube.limits import (
    COMMENT_LISTED_WITHIN_SECONDS,
    COMMENTS_LISTED_MAX,
    EXTRA_FAILURES_MAX,
    EXTRA_WAIT_SECONDS_MAX,
)
from platforms.youtube.resources import comment, playlist_item
from platforms.youtube.settings import YouTubeSettings

THUMBNAIL, PLAYLIST, FIRST_COMMENT = "thumbnail", "playlist", "first_comment"
NOTHING_ADDED: Mapping[str, Any] = {
    THUMBNAIL: None,
    PLAYLIST: None,
    FIRST_COMMENT: None,
    "comment_tried_at": None,
    "comment_tries": 0,
    "extra_failures": {},
}
"""The facts of a video that has none of them yet."""
_SCOPE_WORDS = ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT")


class Extras:
    """The steps beside the video. What became of each is a fact of its name: `{"done": id}` or `{"left_out": code}`."""

    def __init__(self, api: YouTubeApi) -> None:
        self._api = api

    async def before(self, call: Call, video_id: str, image: Media | None, journal: Journal) -> None:
        """What nobody sees while the video is private."""
        if image is not None:
            await _once(call, journal, THUMBNAIL, lambda: self._set_thumbnail(call, video_id, image))

    async def after(self, call: Call, video_id: str, settings: YouTubeSettings, journal: Journal) -> None:
        """What needs a video that can be seen. Raises `OutcomeUnknown` if nobody knows whether a comment is there."""
        if settings.playlist_id:
            await _once(call, journal, PLAYLIST, lambda: self._add_to_playlist(call, video_id, settings))
        if settings.first_comment:
            await _once(call, journal, FIRST_COMMENT, lambda: self._comment(call, video_id, settings, journal))

    async def missing(
        self, call: Call, video_id: str, settings: YouTubeSettings, facts: Mapping[str, Any]
    ) -> str | None:
        """The step that is still to be done, found out by looking; None if there is none.

        Raises `Transient` while a comment that was just written may not be listed yet.
        """
        if settings.playlist_id and not facts.get(PLAYLIST):
            return PLAYLIST
        if not settings.first_comment or facts.get(FIRST_COMMENT):
            return None
        tried_at = facts.get("comment_tried_at")
        if tried_at is None:
            return FIRST_COMMENT
        try:
            found = await self._find_comment(call, video_id, settings)
        except Rejected:
            # Comments are off by now. To go on there is what notes it.
            return FIRST_COMMENT
        if found or _given_up(facts):
            return None
        if _just_now(call, tried_at):
            raise Transient("comment_not_listed_yet", "the comment may be there and not be listed yet")
        return FIRST_COMMENT

    async def _set_thumbnail(self, call: Call, video_id: str, image: Media) -> str:
        assert image.source is not None
        request = call.http.build_request(
            "POST",
            f"{self._api.endpoints.api}/upload/youtube/v3/thumbnails/set",
            params={"videoId": video_id, "uploadType": "media"},
            content=image.source.read(0, image.size_bytes),
            headers=bearer(call) | {"Content-Type": image.content_type, "Content-Length": str(image.size_bytes)},
        )
        checked(call, await send(call.http, request))
        return image.sha256

    async def _add_to_playlist(self, call: Call, video_id: str, settings: YouTubeSettings) -> str:
        """A playlist can hold a video twice, so look first; an earlier answer may have been lost."""
        assert settings.playlist_id is not None
        query = {"part": "snippet", "playlistId": settings.playlist_id, "videoId": video_id}
        there = (await self._api.get(call, "playlistItems", query, answers.PlaylistItems)).items
        if not there:
            body = playlist_item(video_id, settings.playlist_id)
            there = [await self._api.write(call, "POST", "playlistItems", "snippet", body, answers.PlaylistItem)]
        return there[0].id or ""

    async def _comment(self, call: Call, video_id: str, settings: YouTubeSettings, journal: Journal) -> str:
        tried_at = journal.facts.get("comment_tried_at")
        if tried_at is not None:
            found = await self._find_comment(call, video_id, settings)
            if found is not None:
                return found
            if _given_up(journal.facts):
                raise Rejected(
                    "comment_unanswered", "YouTube gave no answer to the comment", advice="Look at the video."
                )
            if _just_now(call, tried_at):
                raise OutcomeUnknown("comment_not_listed_yet", "the comment may be there and not be listed yet")
        tries = journal.facts.get("comment_tries", 0) + 1
        await journal.record(comment_tried_at=call.clock.now().isoformat(), comment_tries=tries)
        body = comment(video_id, call.grant.account_id, settings.first_comment)
        written = await self._api.write(
            call, "POST", "commentThreads", "snippet", body, answers.CommentThread, visible=True
        )
        return written.id or ""

    async def _find_comment(self, call: Call, video_id: str, settings: YouTubeSettings) -> str | None:
        """The channel's own comment with this text, among the newest."""
        query = {
            "part": "snippet",
            "videoId": video_id,
            "order": "time",
            "textFormat": "plainText",
            "maxResults": str(COMMENTS_LISTED_MAX),
        }
        for thread in (await self._api.get(call, "commentThreads", query, answers.CommentThreads)).items:
            said = thread.snippet.top_level_comment.snippet
            own = said.author_channel_id.value == call.grant.account_id
            if own and said.text_original.strip() == settings.first_comment.strip():
                return thread.id or ""
        return None


async def _once(call: Call, journal: Journal, name: str, act: Callable[[], Awaitable[str]]) -> None:
    """Do a step the journal does not have, and note what became of it."""
    if journal.facts.get(name):
        return
    try:
        became = {"done": await act()}
    except PlatformError as error:
        failures: dict[str, int] = dict(journal.facts.get("extra_failures") or {})
        failures[name] = failures.get(name, 0) + 1
        if _comes_right(error, call.clock.now()) and failures[name] < EXTRA_FAILURES_MAX:
            await journal.record(extra_failures=failures)
            raise
        if isinstance(error, OutcomeUnknown):
            raise
        became = {"left_out": error.code}
    await journal.record(**{name: became})


def _comes_right(error: PlatformError, now: datetime) -> bool:
    """True if waiting, or a renewed grant, is likely to help while the post is still news."""
    match error:
        case Rejected() | Misconfigured():
            return False
        case RateLimited():
            return error.until - now <= timedelta(seconds=EXTRA_WAIT_SECONDS_MAX)
        case ReauthorisationNeeded():
            return error.code not in _SCOPE_WORDS
        case _:
            return True


def _given_up(facts: Mapping[str, Any]) -> bool:
    return int(facts.get("comment_tries", 0)) >= EXTRA_FAILURES_MAX


def _just_now(call: Call, tried_at: str) -> bool:
    waited = call.clock.now() - datetime.fromisoformat(tried_at)
    return waited < timedelta(seconds=COMMENT_LISTED_WITHIN_SECONDS)
