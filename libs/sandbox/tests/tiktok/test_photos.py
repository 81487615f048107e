"""The imitated photo posts: strict about what they are told, and the images are really fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from kit.clock import FixedClock
from kit.testing import wait_for
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer

from libs.sandbox.tests.tiktok.caller import Caller

INIT = "post/publish/content/init/"
STATUS = "post/publish/status/fetch/"


class Images:
    """Serves images, and what is none; an address of each, and which of them were asked for."""

    answers: ClassVar = {
        "/one": (200, b"image/jpeg", b"one"),
        "/two": (200, b"image/webp", b"two"),
        "/png": (200, b"image/png", b"png"),
        "/moved": (302, b"text/plain", b""),
    }

    def __init__(self, base: str) -> None:
        self.base = base
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        status, kind, body = self.answers.get(scope["path"], (404, b"text/plain", b""))
        headers = [(b"content-type", kind), (b"location", f"{self.base}/one".encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    server = LoopbackServer()
    images = Images(server.base_url)
    await server.start(images)
    yield images
    await server.stop()


def wish(addresses: list[str], **changes: Any) -> dict[str, Any]:
    """A post that is fine; a dotted name changes what is inside."""
    wanted: dict[str, Any] = {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {"title": "Doors", "description": "Two of them", "privacy_level": "PUBLIC_TO_EVERYONE"},
        "source_info": {"source": "PULL_FROM_URL", "photo_cover_index": 0, "photo_images": addresses},
    }
    for name, value in changes.items():
        place, _, inner = name.partition("__")
        if inner:
            wanted[place][inner] = value
        else:
            wanted[place] = value
    return wanted


async def test_the_images_are_fetched_before_anything_is_posted(
    caller: Caller, sandbox: Sandbox, clock: FixedClock, images: Images
) -> None:
    addresses = [f"{images.base}/one", f"{images.base}/two"]
    _, document = await caller.call(INIT, wish(addresses, source_info__photo_cover_index=1))
    asked = {"publish_id": document["data"]["publish_id"]}
    seen = [(await caller.call(STATUS, asked))[1]["data"]["status"]]
    await wait_for(lambda: images.asked == ["/one", "/two"] and not sandbox.tiktok.state.fetching)
    for seconds in (0.3, 0.2):
        clock.advance(timedelta(seconds=seconds))
        seen.append((await caller.call(STATUS, asked))[1]["data"])
    (post,) = sandbox.truth.posts("tiktok")
    complete = {"status": "PUBLISH_COMPLETE", "downloaded_bytes": 6}
    assert seen == [
        "PROCESSING_DOWNLOAD",
        complete,
        complete | {"publicaly_available_post_id": [int(post.post_id)]},
    ]
    assert [(file.size_bytes, file.content_type) for file in post.media] == [(3, "image/jpeg"), (3, "image/webp")]
    assert (post.text, post.settings["title"], post.settings["photo_cover_index"]) == ("Two of them", "Doors", 1)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/moved", "photo_pull_failed"), ("/nowhere", "photo_pull_failed"), ("/png", "file_format_check_failed")],
)
async def test_an_image_that_cannot_be_had_fails_the_post(
    caller: Caller, sandbox: Sandbox, clock: FixedClock, images: Images, path: str, reason: str
) -> None:
    _, document = await caller.call(INIT, wish([f"{images.base}/one", images.base + path]))
    await wait_for(lambda: not sandbox.tiktok.state.fetching)
    clock.advance(timedelta(seconds=1))
    _, told = await caller.call(STATUS, {"publish_id": document["data"]["publish_id"]})
    assert (told["data"]["status"], told["data"]["fail_reason"]) == ("FAILED", reason)
    assert images.asked == ["/one", path]
    assert sandbox.truth.posts() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"media_type": "VIDEO"}, (400, "invalid_param")),
        ({"post_mode": "DIRECT POST"}, (400, "invalid_param")),
        ({"post_mode": "MEDIA_UPLOAD"}, (400, "app_version_check_failed")),
        ({"surprise": 1}, (400, "invalid_param")),
        ({"is_aigc": "yes"}, (400, "invalid_param")),
        ({"post_info": None}, (400, "invalid_param")),
        ({"post_info__disable_duet": True}, (400, "invalid_param")),
        ({"post_info__title": "x" * 91}, (400, "invalid_param")),
        ({"post_info__description": "🎉" * 2001}, (400, "invalid_param")),
        ({"post_info__auto_add_music": 1}, (400, "invalid_param")),
        ({"post_info__privacy_level": "FOLLOWER_OF_CREATOR"}, (403, "privacy_level_option_mismatch")),
        ({"source_info__source": "FILE_UPLOAD"}, (400, "invalid_param")),
        ({"source_info__photo_cover_index": 1}, (400, "invalid_param")),
        ({"source_info__photo_cover_index": None}, (400, "invalid_param")),
        ({"source_info__photo_images": []}, (400, "invalid_param")),
        ({"source_info__photo_images": ["http://127.0.0.1:9/"] * 36}, (400, "invalid_param")),
        ({"source_info__photo_images": ["https://elsewhere.example/1.jpg"]}, (403, "url_ownership_unverified")),
    ],
)
async def test_what_is_refused_at_once(
    caller: Caller, sandbox: Sandbox, images: Images, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    status, document = await caller.call(INIT, wish([f"{images.base}/one"], **changes))
    assert (status, document["error"]["code"]) == expected
    assert (sandbox.tiktok.state.photos, images.asked) == ({}, [])


@pytest.mark.parametrize("listed", [True, False])
async def test_photos_may_be_missing_in_the_list(
    caller: Caller, sandbox: Sandbox, clock: FixedClock, images: Images, listed: bool
) -> None:
    sandbox.tuning.photos_listed = listed
    await caller.call(INIT, wish([f"{images.base}/one"]))
    await wait_for(lambda: not sandbox.tiktok.state.fetching)
    clock.advance(timedelta(seconds=1))
    _, document = await caller.call("video/list/?fields=id,title,video_description,share_url")
    told = [(video["title"], video["video_description"]) for video in document["data"]["videos"]]
    assert told == [("Doors", "Two of them")] * listed
    assert all("/@brand_one/photo/" in video["share_url"] for video in document["data"]["videos"])
