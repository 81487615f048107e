"""The imitated video service keeps to its arithmetic, to its tokens, and to the clock."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.server import Sandbox

from libs.sandbox.tests.bluesky.conftest import Caller

DATA = bytes(range(250))
Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def post(caller: Caller, sandbox: Sandbox, http: httpx.AsyncClient) -> Post:
    """Calls with a lent token, for parts of 100 bytes."""
    sandbox.bluesky.video.part_bytes = 100
    server = "did:web:" + sandbox.base_urls["bluesky"].removeprefix("http://").replace(":", "%3A")
    lent = (await caller.ask("com.atproto.server.getServiceAuth", aud=server, lxm="com.atproto.repo.uploadBlob")).json()

    async def send(
        method: str, body: Any = None, content: bytes = b"", token: str = "", **query: Any
    ) -> httpx.Response:
        url = f"{caller.base}/xrpc/app.bsky.video.{method}"
        headers = {"Authorization": f"Bearer {token or lent['token']}"}
        if body is not None:
            return await http.post(url, json=body, headers=headers, params=query)
        if content:
            return await http.post(url, content=content, headers=headers, params=query)
        return await http.get(url, headers=headers, params=query)

    return send


async def begin(post: Post, **fields: Any) -> dict[str, Any]:
    answer = await post("startUpload", {"sizeBytes": 250, "mimeType": "video/mp4"} | fields)
    document: dict[str, Any] = answer.json()
    return document


async def send_all(post: Post, job: str) -> None:
    for number in (3, 1, 2, 2):
        part = DATA[(number - 1) * 100 : number * 100]
        assert (await post("uploadPart", content=part, jobId=job, partNumber=number)).status_code == 200


async def test_parts_come_in_any_order_and_more_than_once(
    post: Post, caller: Caller, sandbox: Sandbox, clock: FixedClock
) -> None:
    begun = await begin(post)
    assert (begun["partSizeBytes"], begun["partCount"]) == (100, 3)
    missing = await post("finishUpload", {"jobId": begun["jobId"]})
    assert (missing.status_code, missing.json()["error"]) == (400, "MissingParts")
    await send_all(post, begun["jobId"])
    shown = (await post("getUploadStatus", jobId=begun["jobId"])).json()
    assert (shown["state"], shown["receivedParts"]) == ("created", [1, 2, 3])
    done = (await post("finishUpload", {"jobId": begun["jobId"]})).json()
    assert (await post("finishUpload", {"jobId": begun["jobId"]})).json() == done
    states = []
    for _ in range(5):
        states.append((await post("getJobStatus", jobId=done["completedJobId"])).json()["jobStatus"])
        clock.advance(timedelta(seconds=sandbox.tuning.processing_seconds / 4))
    assert [state["state"].removeprefix("JOB_STATE_") for state in states] == [
        "CREATED",
        "ENCODING",
        "SCANNING",
        "UPLOADING",
        "COMPLETED",
    ]
    blob = states[-1]["blob"]
    stored = sandbox.bluesky.state.blob_of(caller.tokens["sub"], blob["ref"]["$link"])
    assert stored is not None
    assert (stored.sha256, blob["mimeType"]) == (hashlib.sha256(DATA).hexdigest(), "video/mp4")
    assert (await post("getUploadStatus", jobId=begun["jobId"])).json()["completedJobId"] == done["completedJobId"]
    late = await post("uploadPart", content=DATA[:100], jobId=begun["jobId"], partNumber=1)
    assert late.json()["error"] == "UploadAlreadyCompleted"


async def test_a_file_that_is_known_is_not_processed_again(post: Post) -> None:
    jobs = set()
    for _ in range(2):
        job = (await begin(post))["jobId"]
        await send_all(post, job)
        jobs.add((await post("finishUpload", {"jobId": job})).json()["completedJobId"])
    assert len(jobs) == 1


@pytest.mark.parametrize(
    ("number", "data", "error"),
    [(0, DATA[:100], "InvalidPartNumber"), (4, DATA[:100], "InvalidPartNumber"), (3, DATA[:100], "PartSizeMismatch")],
)
async def test_a_part_that_does_not_fit_is_refused(post: Post, number: int, data: bytes, error: str) -> None:
    job = (await begin(post))["jobId"]
    answer = await post("uploadPart", content=data, jobId=job, partNumber=number)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"mimeType": "video/x-matroska"}, "UnsupportedContentType"),
        ({"sizeBytes": 300_000_001}, "VideoTooLarge"),
        ({"durationMs": 600_001}, "VideoTooLong"),
        ({"sizeBytes": 0}, "InvalidRequest"),
    ],
)
async def test_a_file_that_is_not_taken_is_refused_beforehand(post: Post, fields: dict[str, Any], error: str) -> None:
    assert (await begin(post, **fields))["error"] == error


async def test_an_upload_ends_by_being_given_up_or_by_time(post: Post, sandbox: Sandbox, clock: FixedClock) -> None:
    job = (await begin(post))["jobId"]
    assert (await post("abortUpload", {"jobId": job})).json() == {"jobId": job, "state": "aborted"}
    ended = await post("uploadPart", content=DATA[:100], jobId=job, partNumber=1)
    assert ended.json()["error"] == "UploadAborted"
    open_ones = [(await begin(post)).get("jobId") for _ in range(6)]
    assert [job is None for job in open_ones] == [False] * 5 + [True]
    sandbox.bluesky.video.uploads[str(open_ones[0])].expires_at = clock.now()
    expired = await post("uploadPart", content=DATA[:100], jobId=open_ones[0], partNumber=1)
    assert expired.json()["error"] == "UploadExpired"
    assert (await post("finishUpload", {"jobId": "unknown"})).json()["error"] == "UploadNotFound"


async def test_a_token_lent_for_something_else_is_worth_nothing(
    post: Post, caller: Caller, sandbox: Sandbox, clock: FixedClock
) -> None:
    limits = await caller.ask(
        "com.atproto.server.getServiceAuth", aud="did:web:elsewhere", lxm="com.atproto.repo.uploadBlob"
    )
    answer = await post("startUpload", {"sizeBytes": 1, "mimeType": "video/mp4"}, token=limits.json()["token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "AuthenticationRequired")
    clock.advance(timedelta(seconds=61))
    late = await post("startUpload", {"sizeBytes": 1, "mimeType": "video/mp4"})
    assert (late.status_code, late.json()["error"]) == (400, "ExpiredToken")
