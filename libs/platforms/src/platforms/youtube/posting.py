"""A video's way to YouTube: uploaded as private, shown by one update, then its playlist and first comment.

The upload makes nothing visible, so it goes on wherever it stopped. The update that shows the video sets
a state and can do no harm twice; what it came to is read from the video itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from platforms.errors import OutcomeUnknown, Rejected, Transient
from platforms.forgiving import hear, is_unheard
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Media,
    MediaKind,
    Outcome,
    Processing,
    Published,
    Receipt,
    Refused,
    Undecided,
)
from platforms.youtube import answers
from platforms.youtube.api import YouTubeApi
from platforms.youtube.extras import FIRST_COMMENT, NOTHING_ADDED, PLAYLIST, THUMBNAIL, Extras
from platforms.youtube.limits import PROCESSING_ASK_AGAIN_SECONDS
from platforms.youtube.outcomes import GONE, is_processed, refusal
from platforms.youtube.resources import shown_video
from platforms.youtube.rules import check, is_short
from platforms.youtube.settings import YouTubeSettings
from platforms.youtube.staging import Staging

NOT_AS_CHOSEN = Refused(
    "not_shown_as_chosen",
    "YouTube does not show the video to those who were chosen",
    "Look at the video in YouTube Studio; videos of an application that is not audited stay private.",
)


@dataclass(frozen=True)
class Post:
    """A delivery as YouTube takes it."""

    video: Media
    thumbnail: Media | None
    settings: YouTubeSettings


class Posting:
    """The publishing half of the YouTube client."""

    def __init__(self, api: YouTubeApi, staging: Staging) -> None:
        self._api = api
        self._staging = staging
        self._extras = Extras(api)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Upload the video as private and set its thumbnail, going on where an earlier attempt stopped."""
        post = _prepared(delivery)
        if is_unheard(delivery, journal):
            await self._hear(call, delivery, journal)
        video = await self._staged(call, journal)
        if video is None:
            video = await self._staging.upload(call, delivery, post.video, post.settings, journal)
        refused = refusal(video)
        if refused is not None:
            raise Rejected(refused.code, refused.detail, advice=refused.advice)
        await self._extras.before(call, video.id, post.thumbnail, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Show the video, then do what is still to be done besides."""
        post = _prepared(delivery)
        video_id = journal.facts.get("video_id")
        video = await self._look(call, video_id) if video_id else None
        if video is None:
            if journal.facts.get("show_tried"):
                return GONE
            raise Transient("not_staged", "the video is not at YouTube; stage again")
        refused = refusal(video)
        if refused is not None:
            return refused
        if video.status.privacy_status != post.settings.visibility:
            await journal.record(show_tried=True)
            body = shown_video(video.id, post.settings)
            video = await self._api.write(call, "PUT", "videos", "status", body, answers.Video, visible=True)
            if video.status.privacy_status is None:
                raise OutcomeUnknown("answer_malformed", "YouTube's answer does not say who may see the video")
            if video.status.privacy_status != post.settings.visibility:
                return NOT_AS_CHOSEN
        await self._extras.after(call, video.id, post.settings, journal)
        return self._outcome(video, post, journal.facts)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Ask whether YouTube has finished the video. A rejection can come hours later."""
        post = _prepared(delivery)
        video_id = journal.facts.get("video_id")
        if not video_id:
            raise Transient("not_staged", "no video is at YouTube; stage again")
        video = await self._look(call, video_id)
        if video is None:
            return GONE
        refused = refusal(video)
        if refused is not None:
            return refused
        if not _is_out(video, post.settings):
            return NOT_AS_CHOSEN
        return self._outcome(video, post, journal.facts)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Read the video's own state, which is authoritative; then whether something besides is missing."""
        post, facts = _prepared(delivery), journal.facts
        video_id = facts.get("video_id")
        if not video_id:
            return Absent({"reason": "no video was uploaded, so there was none to show"})
        video = await self._look(call, video_id)
        if video is None:
            evidence = {"video_id": video_id, "reason": "YouTube does not know the video any more"}
            return Undecided(evidence) if facts.get("show_tried") else Absent(evidence)
        refused = refusal(video)
        if refused is not None:
            return refused
        if not _is_out(video, post.settings):
            return Absent(_evidence(video, facts))
        missing = await self._extras.missing(call, video_id, post.settings, facts)
        if missing is not None:
            return Absent(_evidence(video, facts) | {"missing": missing})
        return self._outcome(video, post, facts)

    async def _hear(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """A person says that it is not there. Then a video that was shown and is gone is uploaded anew."""
        video_id = journal.facts.get("video_id")
        if video_id and journal.facts.get("show_tried") and await self._look(call, video_id) is None:
            await _give_up(journal, video_id)
        await hear(delivery, journal)

    async def _staged(self, call: Call, journal: Journal) -> answers.Video | None:
        """The video of an earlier attempt; one that came to nothing is given up for a new upload."""
        video_id = journal.facts.get("video_id")
        if not video_id:
            return None
        video = await self._look(call, video_id)
        if video is None:
            if journal.facts.get("show_tried"):
                raise Rejected(GONE.code, GONE.detail, advice=GONE.advice)
            await _give_up(journal, video_id)
            return None
        refused = refusal(video)
        if refused is not None and refused.repeatable:
            await _give_up(journal, video_id)
            return None
        return video

    async def _look(self, call: Call, video_id: str) -> answers.Video | None:
        """The video as its owner sees it, or None if it was deleted."""
        query = {"part": "status,processingDetails", "id": video_id}
        items = (await self._api.get(call, "videos", query, answers.Videos)).items
        return items[0] if items else None

    def _outcome(self, video: answers.Video, post: Post, facts: Mapping[str, Any]) -> Outcome:
        watch = self._api.endpoints.watch
        url = f"{watch}/shorts/{video.id}" if is_short(post.video) else f"{watch}/watch?v={video.id}"
        if not is_processed(video):
            return Processing(PROCESSING_ASK_AGAIN_SECONDS, _evidence(video, facts) | {"url": url})
        return Published(Receipt(video.id, url, _evidence(video, facts)))


def _prepared(delivery: Delivery) -> Post:
    """The files and the typed settings, or the first rule they break."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
    (video,) = (item for item in delivery.media if item.kind is MediaKind.VIDEO)
    thumbnail = next((item for item in delivery.media if item.kind is MediaKind.IMAGE), None)
    return Post(video, thumbnail, msgspec.convert(dict(delivery.settings), YouTubeSettings))


async def _give_up(journal: Journal, video_id: str) -> None:
    """Forget a video that came to nothing; its id stays as evidence."""
    abandoned = [*journal.facts.get("abandoned_video_ids", []), video_id]
    await journal.record(video_id=None, show_tried=False, abandoned_video_ids=abandoned, **NOTHING_ADDED)


def _is_out(video: answers.Video, settings: YouTubeSettings) -> bool:
    """True if it is as it was chosen, or its owner has since let others see it than were chosen."""
    return video.status.privacy_status in (settings.visibility, "public", "unlisted")


def _evidence(video: answers.Video, facts: Mapping[str, Any]) -> dict[str, Any]:
    extras = {name: facts[name] for name in (THUMBNAIL, PLAYLIST, FIRST_COMMENT) if facts.get(name)}
    status = video.status
    return {
        "video_id": video.id,
        "upload_status": status.upload_status,
        "privacy_status": status.privacy_status,
    } | extras
