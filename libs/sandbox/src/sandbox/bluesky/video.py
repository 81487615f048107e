"""The imitated video service: uploads in parts, jobs that take their time, and the daily room of an account."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response

from sandbox.bluesky import cid
from sandbox.bluesky.access import bearer_of
from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response, timestamp
from sandbox.bluesky.state import Blob, BlueskyState
from sandbox.bluesky.uploads import Job, Upload
from sandbox.bluesky.xrpc import Methods

KINDS = ("video/mp4", "video/quicktime", "video/webm", "video/mpeg", "image/gif")
BYTES_MAX = 300_000_000
MILLISECONDS_MAX = 600_000
OPEN_MAX = 5
UPLOAD_SECONDS = 24 * 3600
VIDEOS_A_DAY = 25
BYTES_A_DAY = 10_000_000_000
UPLOAD_BLOB = "com.atproto.repo.uploadBlob"
PASSING = ("JOB_STATE_CREATED", "JOB_STATE_ENCODING", "JOB_STATE_SCANNING", "JOB_STATE_UPLOADING")


class VideoService:
    """Uploads and jobs of all accounts."""

    def __init__(self, state: BlueskyState) -> None:
        self._state = state
        self.uploads: dict[str, Upload] = {}
        self.jobs: dict[str, Job] = {}
        self.part_bytes = 8 * 1024 * 1024
        self.refusals: dict[str, str] = {}
        self.next_failure: str | None = None

    def add_methods(self, methods: Methods) -> None:
        self._add_asking(methods)
        self._add_sending(methods)
        self._add_ending(methods)

    def _add_asking(self, methods: Methods) -> None:
        @methods.query("app.bsky.video.getUploadLimits")
        def get_upload_limits(request: AnyRequest) -> Response[bytes]:
            did = self._caller(request, "app.bsky.video.getUploadLimits", _did_of(self._state.base_url))
            refusal = self.refusals.get(did)
            if refusal:
                return json_response({"canUpload": False, "error": refusal, "message": "Not now"})
            today = [job for job in self.jobs.values() if job.did == did and self._age(job) < timedelta(days=1)]
            left = max(VIDEOS_A_DAY - len(today), 0)
            room = BYTES_A_DAY - sum(job.size_bytes for job in today)
            return json_response({"canUpload": left > 0, "remainingDailyVideos": left, "remainingDailyBytes": room})

        @methods.query("app.bsky.video.getJobStatus")
        def get_job_status(request: AnyRequest) -> Response[bytes]:
            job = self.jobs.get(request.query_params.get("jobId", ""))
            if job is None:
                raise XrpcError(400, "InvalidRequest", "Job not found")
            return json_response({"jobStatus": self._status(job)})

        @methods.query("app.bsky.video.getUploadStatus")
        def get_upload_status(request: AnyRequest) -> Response[bytes]:
            upload = self._upload(request, request.query_params.get("jobId", ""))
            status = _begun(upload) | {"receivedParts": sorted(upload.received), "state": upload.state}
            if upload.completed_job:
                done = self.jobs[upload.completed_job]
                status |= {"completedJobId": done.job, "jobStatus": self._status(done)}
            return json_response(status)

    def _add_sending(self, methods: Methods) -> None:
        @methods.procedure("app.bsky.video.startUpload")
        async def start_upload(request: AnyRequest) -> Response[bytes]:
            did, body = self._caller(request), await _body(request)
            _refuse_unfit(body)
            if sum(upload.did == did and upload.state == "created" for upload in self.uploads.values()) >= OPEN_MAX:
                raise XrpcError(400, "TooManyOpenUploads", "Too many open uploads")
            until = self._state.clock.now() + timedelta(seconds=UPLOAD_SECONDS)
            job = secrets.token_hex(10)
            upload = Upload(job, did, str(body["mimeType"]), int(body["sizeBytes"]), self.part_bytes, until)
            self.uploads[job] = upload
            return json_response(_begun(upload))

        @methods.procedure("app.bsky.video.uploadPart")
        async def upload_part(request: AnyRequest) -> Response[bytes]:
            query = request.query_params
            upload = self._upload(request, query.get("jobId", ""), open_only=True)
            number, data = int(query.get("partNumber", "0")), await request.body()
            if not 1 <= number <= upload.parts:
                raise XrpcError(400, "InvalidPartNumber", "The part number is out of range")
            if len(data) != upload.bytes_of(number):
                raise XrpcError(400, "PartSizeMismatch", "The part has another size")
            upload.take(number, data)
            return json_response({"partNumber": number, "sizeBytes": len(data)})

    def _add_ending(self, methods: Methods) -> None:
        @methods.procedure("app.bsky.video.finishUpload")
        async def finish_upload(request: AnyRequest) -> Response[bytes]:
            upload = self._upload(request, str((await _body(request)).get("jobId")))
            if upload.state == "created":
                missing = [number for number in range(1, upload.parts + 1) if number not in upload.received]
                if missing:
                    raise XrpcError(400, "MissingParts", f"Missing parts: {missing}")
                upload.state, upload.completed_job = "completed", self._begin_job(upload).job
            done = self.jobs[upload.completed_job]
            return json_response({"completedJobId": done.job, "jobStatus": self._status(done)})

        @methods.procedure("app.bsky.video.abortUpload")
        async def abort_upload(request: AnyRequest) -> Response[bytes]:
            upload = self._upload(request, str((await _body(request)).get("jobId")))
            if upload.state == "created":
                upload.state = "aborted"
            return json_response({"jobId": upload.job, "state": upload.state})

    def _begin_job(self, upload: Upload) -> Job:
        """The same file of the same account is processed once."""
        sha256 = upload.digest.hexdigest()
        known = (job for job in self.jobs.values() if (job.did, job.sha256, job.failure) == (upload.did, sha256, None))
        earlier = next(known, None)
        if earlier is not None:
            return earlier
        now, failure = self._state.clock.now(), self.next_failure
        job = Job(secrets.token_hex(10), upload.did, sha256, upload.size_bytes, now, failure)
        self.next_failure = None
        self.jobs[job.job] = job
        return job

    def _status(self, job: Job) -> dict[str, Any]:
        """What a job tells at its age; when it is over, the file is on the account's server."""
        status: dict[str, Any] = {"jobId": job.job, "did": job.did}
        share = self._age(job).total_seconds() / max(self._state.tuning.processing_seconds, 0.001)
        if share < 1:
            return status | {"state": PASSING[int(share * len(PASSING))], "progress": int(share * 100)}
        if job.failure:
            return status | {"state": "JOB_STATE_FAILED", "failureCode": job.failure, "error": "The job has failed"}
        return status | {"state": "JOB_STATE_COMPLETED", "progress": 100, "blob": self._store(job)}

    def _store(self, job: Job) -> dict[str, Any]:
        """The processed file is another one each time, and always MP4; the truth remembers what was sent."""
        link = cid.of_bytes_digest(hashlib.sha256(f"processed:{job.job}:{job.sha256}".encode()).digest())
        if self._state.blob_of(job.did, link) is None:
            blob = Blob(link, job.sha256, "video/mp4", job.size_bytes, self._state.clock.now())
            self._state.blobs[job.did, link] = blob
        return {"$type": "blob", "ref": {"$link": link}, "mimeType": "video/mp4", "size": job.size_bytes}

    def _age(self, job: Job) -> timedelta:
        return self._state.clock.now() - job.began_at

    def _upload(self, request: AnyRequest, job: str, *, open_only: bool = False) -> Upload:
        upload = self.uploads.get(job)
        if upload is None or upload.did != self._caller(request):
            raise XrpcError(400, "UploadNotFound", "The upload is not known")
        if upload.state == "created" and upload.expires_at <= self._state.clock.now():
            upload.state = "expired"
        if upload.state == "expired":
            raise XrpcError(400, "UploadExpired", "The upload has expired")
        if open_only and upload.state != "created":
            name = "UploadAlreadyCompleted" if upload.state == "completed" else "UploadAborted"
            raise XrpcError(400, name, "The upload is no longer open")
        return upload

    def _caller(self, request: AnyRequest, method: str = UPLOAD_BLOB, audience: str | None = None) -> str:
        """The account behind a lent token. One for uploads is made out to the account's server, where the file goes."""
        lent = self._state.lent.get(bearer_of(request))
        wanted = (audience or _did_of(self._state.base_url), method)
        if lent is None or (lent.audience, lent.method) != wanted:
            raise XrpcError(401, "AuthenticationRequired", "The token is not for this")
        if lent.until <= self._state.clock.now().timestamp():
            raise XrpcError(400, "ExpiredToken", "The token has expired")
        return lent.did


def _refuse_unfit(body: dict[str, Any]) -> None:
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("InvalidRequest", lambda: not isinstance(body.get("sizeBytes"), int) or body["sizeBytes"] < 1),
        ("UnsupportedContentType", lambda: body.get("mimeType") not in KINDS),
        ("VideoTooLarge", lambda: body["sizeBytes"] > BYTES_MAX),
        ("VideoTooLong", lambda: body.get("durationMs", 0) > MILLISECONDS_MAX),
    ]
    for name, is_wrong in checks:
        if is_wrong():
            raise XrpcError(400, name, "The video is not taken")


def _begun(upload: Upload) -> dict[str, Any]:
    return {
        "jobId": upload.job,
        "partSizeBytes": upload.part_bytes,
        "partCount": upload.parts,
        "expiresAt": timestamp(upload.expires_at),
    }


async def _body(request: AnyRequest) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise XrpcError(400, "InvalidRequest", "Input must be an object") from None


def _did_of(base_url: str) -> str:
    return "did:web:" + urlsplit(base_url).netloc.replace(":", "%3A")
