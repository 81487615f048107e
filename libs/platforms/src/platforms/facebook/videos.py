"""What becomes of a video at Facebook, and the way of plain videos: chunks as Facebook asks for them, then `finish`.

The video's id is known before anything shows, so what became of it is asked for by that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from platforms.errors import Transient
from platforms.facebook.answers import ChunkedStart, Offsets, Video, VideoStatus
from platforms.facebook.endpoints import FacebookEndpoints
from platforms.facebook.errors import WRONG_OFFSET
from platforms.facebook.limits import CHUNK_CORRECTIONS_MAX, PROCESSING_ASK_AGAIN_SECONDS
from platforms.facebook.multipart import form_with_file
from platforms.facebook.work import Work
from platforms.meta.errors import code_of, graph_error
from platforms.meta.graph import Done, Graph, succeeded
from platforms.shape import Absent, Finding, Outcome, Processing, Published, Refused, Undecided
from platforms.wire import UPLOAD_SECONDS, Answer, converted, send

UNCLEAR_MAX = timedelta(minutes=10)
"""How long a video may look neither begun nor left alone before a person is asked."""

GIVEN_UP = ("expired", "upload_failed")


class Videos:
    """Asks after videos by their ids."""

    def __init__(self, endpoints: FacebookEndpoints, graph: Graph) -> None:
        self._web = endpoints.web
        self._graph = graph

    async def ask(self, work: Work) -> Video:
        fields = "id,status,post_id,permalink_url,published"
        return await self._graph.get(work.call, work.facts["video_id"], Video, fields=fields)

    async def status(self, work: Work) -> Outcome:
        """What became of a video that Facebook was told to publish."""
        if not work.facts.get("video_id"):
            raise Transient("not_staged", "no upload is under way; stage again")
        return await self._outcome(work, await self.ask(work)) or Processing(PROCESSING_ASK_AGAIN_SECONDS)

    async def reconcile(self, work: Work) -> Finding:
        """Whether Facebook was told to publish: its work on the video begins with that."""
        tried = work.tried_at
        if not work.facts.get("video_id") or tried is None:
            return Absent({"reason": "no call that shows a post was made"})
        video = await self.ask(work)
        outcome = await self._outcome(work, video)
        if outcome is not None:
            return outcome
        if video.status.video_status != "processing":
            return Absent(_evidence(video))
        if work.now - tried > UNCLEAR_MAX:
            return Undecided(_evidence(video))
        raise Transient("look_again", "Facebook does not tell yet whether it publishes the video")

    async def _outcome(self, work: Work, video: Video) -> Outcome | None:
        """None while no sign shows that it was told to publish."""
        standing = video.status
        if standing.processing_phase.failed or standing.publishing_phase.failed or standing.video_status == "error":
            return _refusal(standing)
        if standing.publishing_phase.done or (standing.video_status == "ready" and video.published):
            return await self._published(work, video)
        begun = standing.processing_phase.status != "not_started" or standing.publishing_phase.status != "not_started"
        if not begun and standing.video_status != "ready":
            return None
        return Processing(PROCESSING_ASK_AGAIN_SECONDS, _evidence(video))

    async def _published(self, work: Work, video: Video) -> Published:
        """The post's id can come later than the post."""
        post_id = video.post_id or work.facts.get("told_post_id")
        url = video.permalink_url
        if url is not None and url.startswith("/"):
            url = self._web + url
        return await work.posted(post_id, url, **_evidence(video))


class VideoWay:
    """Satisfies `platforms.facebook.work.Way`."""

    def __init__(self, videos: Videos, graph: Graph) -> None:
        self._videos = videos
        self._graph = graph

    async def stage(self, work: Work) -> None:
        """Send every chunk, going on where an earlier attempt stopped."""
        if not work.facts.get("upload_session_id") or not work.is_fresh("upload_at"):
            await self._start(work)
        corrections = 0
        while work.facts["start_offset"] < work.facts["end_offset"]:
            answer = await self._transfer(work, work.facts["start_offset"], work.facts["end_offset"])
            corrections += not succeeded(answer)
            if corrections > CHUNK_CORRECTIONS_MAX:
                raise Transient("no_progress", "the upload does not move on")
            await self._move(work, _offsets(answer))

    async def publish(self, work: Work) -> Outcome:
        if not work.facts.get("upload_session_id") or work.facts["start_offset"] < work.facts["end_offset"]:
            raise Transient("not_staged", "the video is not uploaded yet; stage again")
        await work.trying()
        await self._graph.post(
            work.call,
            f"{work.page}/videos",
            Done,
            visible=True,
            upload_phase="finish",
            upload_session_id=work.facts["upload_session_id"],
            title=work.settings.title or None,
            description=work.delivery.text or None,
            published=True,
        )
        return Processing(PROCESSING_ASK_AGAIN_SECONDS)

    async def status(self, work: Work) -> Outcome:
        return await self._videos.status(work)

    async def reconcile(self, work: Work) -> Finding:
        return await self._videos.reconcile(work)

    async def _start(self, work: Work) -> None:
        started = await self._graph.post(
            work.call, f"{work.page}/videos", ChunkedStart, upload_phase="start", file_size=work.media.size_bytes
        )
        await work.journal.record(
            video_id=started.video_id,
            upload_session_id=started.upload_session_id,
            upload_at=work.now.isoformat(),
            start_offset=started.start_offset,
            end_offset=started.end_offset,
        )

    async def _transfer(self, work: Work, start: int, end: int) -> Answer:
        """One chunk, and its answer: the next span, or that another one is expected."""
        request = form_with_file(
            self._graph,
            work.call,
            f"{work.page}/videos",
            {
                "upload_phase": "transfer",
                "upload_session_id": work.facts["upload_session_id"],
                "start_offset": start,
            },
            name="video_file_chunk",
            media=work.media,
            start=start,
            end=end,
        )
        answer = await send(work.call.http, request, deadline_seconds=UPLOAD_SECONDS)
        if succeeded(answer) or code_of(answer)[1] in WRONG_OFFSET:
            return answer
        raise graph_error(answer, self._graph.table, now=work.now)

    async def _move(self, work: Work, offsets: Offsets) -> None:
        if not 0 <= offsets.start_offset <= offsets.end_offset <= work.media.size_bytes:
            raise Transient("answer_malformed", "the upload asks for bytes that the file does not have")
        await work.journal.record(start_offset=offsets.start_offset, end_offset=offsets.end_offset)


def _offsets(answer: Answer) -> Offsets:
    """The next span, also out of a refusal that tells it."""
    document = answer.json()
    return converted(document if succeeded(answer) else document["error"].get("error_data"), Offsets)


def _refusal(standing: VideoStatus) -> Refused:
    errors = [*standing.processing_phase.errors, *standing.publishing_phase.errors]
    code = next((str(error.code) for error in errors if error.code is not None), "video_error")
    return Refused(code, "Facebook could not process the video", "Export it as MP4 (H.264, AAC) and upload it again.")


def _evidence(video: Video) -> dict[str, Any]:
    return {
        "video_id": video.id,
        "video_status": video.status.video_status,
        "processing": video.status.processing_phase.status,
        "publishing": video.status.publishing_phase.status,
    }
