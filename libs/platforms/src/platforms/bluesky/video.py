"""Videos and GIFs through the video service: in parts, each noted, then waiting until it is processed.

The service stores the result on the account's own server, with a token that this server lends it for that. So the video
is whole when the post appears, and what cannot be shown is refused while nobody has seen anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
from kit.secret import Secret

from platforms.bluesky import answers
from platforms.bluesky.errors import UPLOAD_LOST, no_uploads, processing_failure
from platforms.bluesky.limits import SERVICE_TOKEN_SECONDS, VIDEO_ASK_AGAIN_SECONDS, VIDEO_PARTS_MAX
from platforms.bluesky.servers import Servers
from platforms.bluesky.xrpc import Lent, Repository, ask_openly, did_of
from platforms.errors import PlatformError, RateLimited, Transient
from platforms.shape import Call, Journal, Media

UPLOAD_BLOB = "com.atproto.repo.uploadBlob"
GET_LIMITS = "app.bsky.video.getUploadLimits"


@dataclass(frozen=True)
class Upload:
    """How far one file is. `job` is the upload's, and once it is finished that of the processing."""

    job: str
    part_bytes: int
    parts: int
    sent: int = 0
    finished: bool = False


class Videos:
    """The way of moving pictures to the account's server."""

    def __init__(self, base: str, servers: Servers) -> None:
        self._base = base
        self._servers = servers

    async def bring(self, call: Call, media: Media, journal: Journal) -> dict[str, Any]:
        """The blob of a processed file. Raises `RateLimited` with the time to ask again while it is being processed."""
        upload = _stored(journal, media)
        try:
            if upload is None or not upload.finished:
                upload = await self._send(call, media, upload, journal)
            return await self._processed(call, upload)
        except PlatformError as error:
            if error.code in UPLOAD_LOST:
                await _forget(journal, media)
                raise Transient(error.code, error.detail) from None
            raise

    async def _send(self, call: Call, media: Media, upload: Upload | None, journal: Journal) -> Upload:
        if upload is None:
            await self._refuse_without_room(call)
        service = await self._lent(call, UPLOAD_BLOB, Repository(call, self._servers).did)
        if upload is None:
            upload = await _begin(service, media)
            await _keep(journal, media, upload)
        for number in range(upload.sent + 1, upload.parts + 1):
            await _send_part(service, media, upload, number)
            upload = replace(upload, sent=number)
            await _keep(journal, media, upload)
        done = await service.post("app.bsky.video.finishUpload", {"jobId": upload.job}, answers.FinishedUpload)
        upload = replace(upload, job=done.completed_job_id, finished=True)
        await _keep(journal, media, upload)
        return upload

    async def _processed(self, call: Call, upload: Upload) -> dict[str, Any]:
        query = {"jobId": upload.job}
        answer = await ask_openly(call, self._base, "app.bsky.video.getJobStatus", query, answers.JobAnswer)
        job = answer.job_status
        if job.blob is not None:
            return job.blob
        if job.state == "JOB_STATE_FAILED":
            raise processing_failure(job.failure_code)
        until = call.clock.now() + timedelta(seconds=VIDEO_ASK_AGAIN_SECONDS)
        raise RateLimited("video_processing", "Bluesky is still processing the video", until=until)

    async def _refuse_without_room(self, call: Call) -> None:
        """The account's daily number and bytes, and whether it may send videos at all."""
        service = await self._lent(call, GET_LIMITS, did_of(self._base))
        limits = await service.get(GET_LIMITS, (), answers.UploadLimits)
        if not limits.can_upload:
            raise no_uploads(limits.error)

    async def _lent(self, call: Call, method: str, audience: str) -> Lent:
        """The video service with a token for one method. An upload's is for the account's server, to which it goes."""
        repository = Repository(call, self._servers)
        until = str(repository.seconds_there() + SERVICE_TOKEN_SECONDS)
        query = {"aud": audience, "lxm": method, "exp": until}
        lent = await repository.ask("com.atproto.server.getServiceAuth", query, answers.ServiceToken)
        return Lent(call, self._base, Secret(lent.token))


async def _begin(service: Lent, media: Media) -> Upload:
    """Tell size and kind. The name only serves people who look for an upload."""
    body: dict[str, Any] = {"sizeBytes": media.size_bytes, "mimeType": media.content_type, "name": media.sha256[:16]}
    if media.width > 0 and media.height > 0:
        body |= {"width": media.width, "height": media.height}
    if media.duration_seconds is not None:
        body["durationMs"] = round(media.duration_seconds * 1000)
    begun = await service.post("app.bsky.video.startUpload", body, answers.Upload)
    parts = -(-media.size_bytes // begun.part_size_bytes) if begun.part_size_bytes > 0 else 0
    if parts != begun.part_count or not 0 < parts <= VIDEO_PARTS_MAX:
        raise Transient("answer_malformed", "the video service asks for parts that do not make up the file")
    return Upload(begun.job_id, begun.part_size_bytes, begun.part_count)


async def _send_part(service: Lent, media: Media, upload: Upload, number: int) -> None:
    assert media.source is not None
    start = (number - 1) * upload.part_bytes
    end = min(start + upload.part_bytes, media.size_bytes)
    query = {"jobId": upload.job, "partNumber": str(number)}
    await service.put("app.bsky.video.uploadPart", query, media.source.read(start, end), end - start)


def _stored(journal: Journal, media: Media) -> Upload | None:
    facts = (journal.facts.get("videos") or {}).get(media.sha256)
    return msgspec.convert(facts, Upload) if facts else None


async def _forget(journal: Journal, media: Media) -> None:
    """The next staging sends this file anew."""
    known = journal.facts.get("videos") or {}
    await journal.record(videos={sha: upload for sha, upload in known.items() if sha != media.sha256})


async def _keep(journal: Journal, media: Media, upload: Upload) -> None:
    known = journal.facts.get("videos") or {}
    await journal.record(videos={**known, media.sha256: asdict(upload)})
