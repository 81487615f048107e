"""A video's way to TikTok: creator's options, upload, last chunk, reconciliation.

Every doubt after the start of an upload is solved by asking for its status; a second upload is only
started when the first one provably came to nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kit.secret import Secret

from platforms.errors import Rejected, Transient
from platforms.forgiving import hear, is_unheard
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Media,
    Outcome,
    Processing,
    Undecided,
)
from platforms.tiktok.answers import Status, UploadStarted
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.limits import PROCESSING_ASK_AGAIN_SECONDS
from platforms.tiktok.preparing import ask_creator, prepared
from platforms.tiktok.settings import TikTokSettings
from platforms.tiktok.standing import Standing
from platforms.tiktok.upload import Progress, Upload, UploadGone, cut, put_chunk


class Videos:
    """Satisfies `platforms.composed.Posting` for one video."""

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._api = TikTokApi(endpoints)
        self._standing = Standing(endpoints)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Send everything but the last chunk, going on where an earlier attempt stopped."""
        settings = prepared(delivery)
        video = delivery.media[0]
        if is_unheard(delivery, journal):
            await self._hear(call, delivery, journal)
        upload = await self._resumable(call, journal)
        if upload is None:
            upload = await self._start(call, delivery, settings, journal)
        try:
            await self._fill(call, upload, video, journal)
        except UploadGone:
            standing = await self._standing.ask(call, upload.publish_id)
            if _lacks_bytes(standing, upload):
                await self._give_up(journal, upload)
            raise Transient("upload_expired", "the upload address has expired; a new upload is needed") from None

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Send the last chunk. TikTok posts the video by itself once it has it."""
        prepared(delivery)
        upload = Upload.from_facts(journal.facts)
        if upload is None:
            raise Transient("not_staged", "no upload is under way; stage again")
        if upload.all_bytes_sent:
            return await self.status(call, delivery, journal)
        await journal.record(last_chunk_tried=True)
        try:
            progress = await put_chunk(call, upload, delivery.media[0], upload.cut.count - 1, visible=True)
        except UploadGone:
            return await self._after_expiry(call, delivery, journal, upload)
        if not progress.complete:
            await journal.record(next_chunk=upload.chunk_at(progress.stored_bytes))
            raise Transient("bytes_missing", "TikTok lacks earlier bytes of the video; stage again")
        await journal.record(all_bytes_sent=True)
        return Processing(PROCESSING_ASK_AGAIN_SECONDS)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        upload = Upload.from_facts(journal.facts)
        if upload is None:
            raise Transient("not_staged", "no upload is under way; stage again")
        standing = await self._standing.ask(call, upload.publish_id)
        return self._outcome(standing, upload, journal)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Without a publish id no byte was ever sent; with one TikTok knows the answer."""
        upload = Upload.from_facts(journal.facts)
        if upload is None:
            return Absent({"reason": "no upload was started, so TikTok has no bytes to post"})
        try:
            standing = await self._standing.ask(call, upload.publish_id)
        except Rejected as error:
            return Undecided({"publish_id": upload.publish_id, "code": error.code, "detail": error.detail})
        if _lacks_bytes(standing, upload):
            return Absent(_evidence(standing, upload))
        if standing.status == "PROCESSING_UPLOAD" and upload.is_expired(call.clock.now()):
            return Undecided(_evidence(standing, upload))
        return self._outcome(standing, upload, journal)

    async def _hear(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """A person says that it is not there. What TikTok does not know, or works on for too long, begins anew."""
        upload = Upload.from_facts(journal.facts)
        if upload is not None and await self._is_lost(call, upload):
            await self._give_up(journal, upload)
        await hear(delivery, journal)

    async def _is_lost(self, call: Call, upload: Upload) -> bool:
        try:
            standing = await self._standing.ask(call, upload.publish_id)
        except Rejected:
            return True
        settled = standing.status == "PUBLISH_COMPLETE" or _lacks_bytes(standing, upload)
        return not settled and upload.is_expired(call.clock.now())

    async def _resumable(self, call: Call, journal: Journal) -> Upload | None:
        """The upload of an earlier attempt if it can go on; one that came to nothing is given up."""
        upload = Upload.from_facts(journal.facts)
        if upload is None:
            return None
        standing = await self._standing.ask(call, upload.publish_id)
        if standing.status == "FAILED" or (_lacks_bytes(standing, upload) and upload.is_expired(call.clock.now())):
            await self._give_up(journal, upload)
            return None
        if _lacks_bytes(standing, upload):
            known = standing.uploaded_bytes
            next_chunk = upload.next_chunk if known is None else upload.chunk_at(known)
            return replace(upload, next_chunk=next_chunk, all_bytes_sent=False)
        await journal.record(all_bytes_sent=True)
        return replace(upload, all_bytes_sent=True)

    async def _start(self, call: Call, delivery: Delivery, settings: TikTokSettings, journal: Journal) -> Upload:
        video = delivery.media[0]
        username = await ask_creator(self._api, call, settings, video_seconds=video.duration_seconds)
        plan = cut(video.size_bytes)
        answer = await self._api.post(
            call,
            "post/publish/video/init/",
            {
                "post_info": settings.to_video_info(delivery.text),
                "source_info": {
                    "source": "FILE_UPLOAD",
                    "video_size": plan.size,
                    "chunk_size": plan.chunk_size,
                    "total_chunk_count": plan.count,
                },
            },
            UploadStarted,
        )
        upload = Upload(
            publish_id=answer.publish_id,
            upload_url=Secret(answer.upload_url),
            started_at=call.clock.now(),
            cut=plan,
            next_chunk=0,
            last_chunk_tried=False,
            all_bytes_sent=False,
        )
        await journal.record(**upload.to_facts(), creator_username=username)
        return upload

    async def _fill(self, call: Call, upload: Upload, video: Media, journal: Journal) -> None:
        """Send the chunks before the last. A mismatch moves to where TikTok stands, at most once a chunk."""
        index, corrections = upload.next_chunk, 0
        while not upload.all_bytes_sent and index < upload.cut.count - 1:
            progress = await put_chunk(call, upload, video, index, visible=False)
            following = _following(upload, progress)
            if following <= index:
                corrections += 1
                if corrections > upload.cut.count:
                    raise Transient("no_progress", "TikTok's upload does not move on")
            index = following
            await journal.record(next_chunk=index)

    async def _after_expiry(self, call: Call, delivery: Delivery, journal: Journal, upload: Upload) -> Outcome:
        standing = await self._standing.ask(call, upload.publish_id)
        if _lacks_bytes(standing, upload):
            await self._give_up(journal, upload)
            raise Transient("upload_expired", "the upload address has expired and nothing was posted; stage again")
        return self._outcome(standing, upload, journal)

    @staticmethod
    async def _give_up(journal: Journal, upload: Upload) -> None:
        """Forget an upload that came to nothing; its id stays as evidence."""
        abandoned = [*journal.facts.get("abandoned_publish_ids", []), upload.publish_id]
        await journal.record(publish_id=None, upload_url=None, all_bytes_sent=False, abandoned_publish_ids=abandoned)

    def _outcome(self, standing: Status, upload: Upload, journal: Journal) -> Outcome:
        evidence = _evidence(standing, upload)
        return self._standing.judge(standing, kind="video", evidence=evidence, facts=journal.facts)


def _lacks_bytes(standing: Status, upload: Upload) -> bool:
    """True if TikTok waits for bytes, so nothing can have been posted.

    Where it does not tell how many it has, the journal rules the last chunk out or does not.
    """
    if standing.status != "PROCESSING_UPLOAD":
        return False
    if standing.uploaded_bytes is None:
        return not upload.last_chunk_tried
    return standing.uploaded_bytes < upload.cut.size


def _evidence(standing: Status, upload: Upload) -> dict[str, Any]:
    return {
        "publish_id": upload.publish_id,
        "status": standing.status,
        "uploaded_bytes": standing.uploaded_bytes,
        "video_bytes": upload.cut.size,
    }


def _following(upload: Upload, progress: Progress) -> int:
    return upload.cut.count - 1 if progress.complete else upload.chunk_at(progress.stored_bytes)
