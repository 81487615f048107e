"""A post's way to a Page: which way it takes, and the first comment after it."""

from __future__ import annotations

import msgspec

from platforms.errors import Rejected
from platforms.facebook.comments import FirstComment
from platforms.facebook.endpoints import FacebookEndpoints
from platforms.facebook.feed import FeedWay
from platforms.facebook.limits import PROCESSING_ASK_AGAIN_SECONDS
from platforms.facebook.reels import REELS, STORIES, UploadWay
from platforms.facebook.rules import check
from platforms.facebook.settings import FacebookSettings
from platforms.facebook.stories import PhotoStoryWay
from platforms.facebook.videos import Videos, VideoWay
from platforms.facebook.work import Way, Work
from platforms.meta.graph import Graph
from platforms.shape import Call, Delivery, Finding, Journal, MediaKind, Outcome, Processing, Published


class Posting:
    """The publishing half of the Facebook client. `graph` and `video_graph` are two hosts of one Graph."""

    def __init__(self, endpoints: FacebookEndpoints, graph: Graph, video_graph: Graph) -> None:
        videos = Videos(endpoints, graph)
        self._feed = FeedWay(endpoints, graph)
        self._video = VideoWay(videos, video_graph)
        self._reel = UploadWay(videos, graph, REELS)
        self._video_story = UploadWay(videos, graph, STORIES)
        self._photo_story = PhotoStoryWay(graph)
        self._comment = FirstComment(graph)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Upload everything. A post that is out already, because only its comment is missing, needs nothing more."""
        work = _work(call, delivery, journal)
        if work.post_id is None:
            await self._way(work).stage(work)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Make the one call that shows the post; the comment follows, here or with the questions after it."""
        work = _work(call, delivery, journal)
        way = self._way(work)
        outcome = await (way.publish(work) if work.post_id is None else way.status(work))
        return await self._comment.complete(work, outcome)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        work = _work(call, delivery, journal)
        return await self._comment.complete(work, await self._way(work).status(work))

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """What became of the post. One that is out without its comment is still being worked on."""
        work = _work(call, delivery, journal)
        known = work.post_id is not None
        finding = await (self._way(work).status(work) if known else self._way(work).reconcile(work))
        if isinstance(finding, Published) and self._comment.must_comment(work):
            return Processing(PROCESSING_ASK_AGAIN_SECONDS)
        return finding

    def _way(self, work: Work) -> Way:
        video = bool(work.delivery.media) and work.delivery.media[0].kind is MediaKind.VIDEO
        match work.settings.kind:
            case "reel":
                return self._reel
            case "story":
                return self._video_story if video else self._photo_story
            case "post":
                return self._video if video else self._feed


def _work(call: Call, delivery: Delivery, journal: Journal) -> Work:
    """The delivery with its settings read, or the first rule it breaks."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
    return Work(call, delivery, msgspec.convert(dict(delivery.settings), FacebookSettings), journal)
