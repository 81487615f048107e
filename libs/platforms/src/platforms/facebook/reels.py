"""Reels and stories of a video: an upload to Meta's upload host, then `finish`, which is only an acknowledgement."""

from __future__ import annotations

from platforms.errors import Transient
from platforms.facebook.answers import StoryPosted, UploadStart
from platforms.facebook.limits import PROCESSING_ASK_AGAIN_SECONDS
from platforms.facebook.videos import GIVEN_UP, Videos
from platforms.facebook.work import Work
from platforms.meta.graph import Graph
from platforms.meta.rupload import send_bytes
from platforms.shape import Finding, Outcome, Processing

REELS = "video_reels"
STORIES = "video_stories"


class UploadWay:
    """Satisfies `platforms.facebook.work.Way`; `edge` is REELS or STORIES."""

    def __init__(self, videos: Videos, graph: Graph, edge: str) -> None:
        self._videos = videos
        self._graph = graph
        self._edge = edge

    async def stage(self, work: Work) -> None:
        """Send the bytes, going on at the one Facebook has up to."""
        if work.facts.get("uploaded") and work.is_fresh("upload_at"):
            return
        offset = await self._resumable(work)
        if offset is None:
            await self._start(work)
            offset = 0
        if offset < work.media.size_bytes:
            # Noted before: whoever runs out of time then knows that it was begun.
            await work.journal.record(sending_from=offset)
            url = work.secret("upload_url")
            assert url is not None
            await send_bytes(work.call, url, work.media, offset=offset, table=self._graph.table)
        await work.journal.record(uploaded=True)

    async def publish(self, work: Work) -> Outcome:
        if not work.facts.get("uploaded"):
            raise Transient("not_staged", "the video is not uploaded yet; stage again")
        await work.trying()
        answer = await self._graph.post(
            work.call,
            f"{work.page}/{self._edge}",
            StoryPosted,
            visible=True,
            upload_phase="finish",
            video_id=work.facts["video_id"],
            video_state="PUBLISHED",
            description=work.delivery.text or None,
            title=work.settings.title or None,
        )
        if answer.post_id is not None:
            await work.journal.record(told_post_id=answer.post_id)
        return Processing(PROCESSING_ASK_AGAIN_SECONDS)

    async def status(self, work: Work) -> Outcome:
        return await self._videos.status(work)

    async def reconcile(self, work: Work) -> Finding:
        return await self._videos.reconcile(work)

    async def _resumable(self, work: Work) -> int | None:
        """How many bytes Facebook has of an upload that was begun; None if a new one must be."""
        if not work.facts.get("video_id") or not work.is_fresh("upload_at"):
            return None
        standing = (await self._videos.ask(work)).status
        if standing.video_status in GIVEN_UP or standing.processing_phase.failed:
            return None
        if standing.uploading_phase.done:
            return work.media.size_bytes
        return min(standing.uploading_phase.bytes_transfered or 0, work.media.size_bytes)

    async def _start(self, work: Work) -> None:
        started = await self._graph.post(work.call, f"{work.page}/{self._edge}", UploadStart, upload_phase="start")
        await work.journal.record(
            video_id=started.video_id,
            upload_url=started.upload_url,
            upload_at=work.now.isoformat(),
            uploaded=False,
        )
