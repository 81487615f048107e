"""Media: received in pieces, understood by decoding, stripped, stored; nothing kept of what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import struct
import tempfile
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
import uvicorn
from content.adapters.examiner import _receive
from contracts.content import MediaUploadedV1
from kit.clock import MovableClock
from kit.server import configuration
from kit.testing import wait_for
from kit.testing.services import Bus
from litestar import Litestar
from PIL import Image

Keys = Callable[[], list[str]]


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:signoff:problem:")


def media_rows(environment: dict[str, str], where: LiteralString = "true") -> int:
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_CONTENT"]) as connection:
        row = connection.execute(f"SELECT count(*) FROM media WHERE {where}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


@pytest.fixture(autouse=True)
def scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def scratch_files(scratch_folder: Path) -> Keys:
    """What uploads are received into just now: files that have no name, but are open."""

    def files() -> list[str]:
        opened = []
        for file in os.listdir("/proc/self/fd"):
            with suppress(FileNotFoundError):
                opened.append(os.readlink(f"/proc/self/fd/{file}"))
        return [target for target in opened if target.startswith(str(scratch_folder))]

    return files


async def in_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.promise("P30")
@pytest.mark.promise("P33")
@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
async def test_an_image_is_understood_and_stored(
    team, bus: Bus, image, objects_folder: Path, stored_files: Keys, kind: str, content_type: str
):
    answer = await team.upload(in_pieces(image(kind)), content_type)
    assert answer.status_code == 201, answer.text
    media = answer.json()
    key = f"media/{team.workspace_id}/{media['media_id']}"
    kept = (objects_folder / key).read_bytes()
    assert stored_files() == [key]
    assert media == {
        "media_id": media["media_id"],
        "kind": "image",
        "content_type": content_type,
        "size_bytes": len(kept),
        "sha256": hashlib.sha256(kept).hexdigest(),
        "width": 40,
        "height": 30,
        "duration_seconds": None,
        "frames_per_second": None,
        "codec": None,
    }
    assert await bus.wait_told(MediaUploadedV1) == [
        MediaUploadedV1(
            workspace_id=team.workspace_id, media_id=UUID(media["media_id"]), kind="image", size_bytes=len(kept)
        )
    ]


@pytest.mark.promise("P30")
@pytest.mark.parametrize(
    ("container", "codec", "content_type", "found"),
    [
        ("mp4", "libx264", "video/mp4", "h264"),
        ("mov", "libx264", "video/quicktime", "h264"),
        ("webm", "libvpx-vp9", "video/webm", "vp9"),
    ],
)
async def test_a_video_is_understood_and_stored_as_it_is(
    team, video, objects_folder: Path, container: str, codec: str, content_type: str, found: str
):
    data = video(container, codec)
    answer = await team.upload(in_pieces(data), f"{content_type}; codecs=x")
    media = answer.json()
    assert answer.status_code == 201, answer.text
    assert (media["kind"], media["content_type"], media["codec"]) == ("video", content_type, found)
    assert (media["width"], media["height"], media["frames_per_second"]) == (64, 48, 25.0)
    assert media["duration_seconds"] == pytest.approx(1, abs=0.05)
    assert media["sha256"] == hashlib.sha256(data).hexdigest()
    assert (objects_folder / f"media/{team.workspace_id}/{media['media_id']}").read_bytes() == data


@pytest.mark.promise("P30")
async def test_what_is_shown_beside_the_text_is_part_of_what_was_approved(team, image, video):
    picture = (await team.upload(image())).json()
    film = (await team.upload(video(size=(640, 480)), "video/mp4")).json()
    saved = await team.approved(
        team.variant(media=[{"media_id": picture["media_id"], "alt_text": "A fractal"}]),
        {
            "connection_id": str(team.tiktok),
            "text": "Look",
            "media": [{"media_id": film["media_id"]}],
            "settings": {"privacy_level": "SELF_ONLY"},
        },
    )
    revision = (await team.sealed(saved)).json()
    shown, moving = (variant["media"][0] for variant in revision["variants"])
    assert (shown["sha256"], shown["alt_text"]) == (picture["sha256"], "A fractal")
    assert shown["object_key"] == f"media/{team.workspace_id}/{picture['media_id']}"
    assert (moving["sha256"], moving["duration_seconds"]) == (film["sha256"], film["duration_seconds"])
    assert revision["seal"] is not None


def exif_with_position(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CameraMaker"
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}
    return exif


@pytest.mark.promise("P33")
@pytest.mark.parametrize(
    ("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
@pytest.mark.parametrize(("orientation", "shown"), [(1, (40, 30)), (6, (30, 40))])
async def test_metadata_is_taken_out_and_the_picture_stays(
    team, image, objects_folder: Path, kind: str, content_type: str, orientation: int, shown: tuple[int, int]
):
    data = image(kind, exif=exif_with_position(orientation), icc_profile=b"profile-of-colours", xmp=b"<x:xmpmeta/>")
    assert b"CameraMaker" in data
    media = (await team.upload(data, content_type)).json()
    kept = (objects_folder / f"media/{team.workspace_id}/{media['media_id']}").read_bytes()
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(kept))
    assert b"CameraMaker" not in kept
    assert b"xmpmeta" not in kept
    assert dict(after.getexif()) == ({0x0112: 6} if orientation == 6 else {})
    assert after.info["icc_profile"] == b"profile-of-colours"
    assert after.tobytes() == before.tobytes()
    assert (media["width"], media["height"]) == shown


@pytest.mark.promise("P33")
async def test_comments_and_what_follows_the_picture_are_taken_out(team, image, objects_folder: Path):
    data = image(comment=b"taken at home", progressive=True, optimize=True) + image(comment=b"the next picture")
    media = (await team.upload(data)).json()
    kept = (objects_folder / f"media/{team.workspace_id}/{media['media_id']}").read_bytes()
    assert b"taken at home" not in kept
    assert b"the next picture" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(data)).tobytes()


def bomb() -> bytes:
    """A PNG that says it is 100,000 pixels wide and high."""
    file = io.BytesIO()
    Image.new("1", (8, 8)).save(file, "PNG")
    data = file.getvalue()
    header = b"IHDR" + struct.pack(">II", 100_000, 100_000) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


@pytest.mark.promise("P33")
@pytest.mark.parametrize(
    ("make", "content_type"),
    [
        (lambda image, video: b"", "image/jpeg"),
        (lambda image, video: b"just text", "image/jpeg"),
        (lambda image, video: image()[: len(image()) // 2], "image/jpeg"),
        (lambda image, video: image("PNG")[:-30], "image/png"),
        (lambda image, video: image("WEBP")[:-30], "image/webp"),
        (lambda image, video: image("GIF")[:60], "image/gif"),
        (lambda image, video: image("PNG"), "image/jpeg"),
        (lambda image, video: image(), "video/mp4"),
        (lambda image, video: video(), "image/jpeg"),
        (lambda image, video: video(), "video/quicktime"),
        (lambda image, video: video("matroska"), "video/webm"),
        (lambda image, video: video()[:2000], "video/mp4"),
        (lambda image, video: b"\0\0\0\x18ftypisom" + bytes(3000), "video/mp4"),
        (lambda image, video: b"#EXTM3U\nhttp://127.0.0.1:1/secret\n", "video/mp4"),
        (lambda image, video: bomb(), "image/png"),
        (lambda image, video: image(), "image/svg+xml"),
        (lambda image, video: image(), "application/octet-stream"),
        (lambda image, video: image(), ""),
    ],
)
async def test_what_is_not_what_it_is_said_to_be_is_refused_and_not_kept(
    team, bus: Bus, environment, stored_files: Keys, scratch_files: Keys, image, video, make, content_type: str
):
    answer = await team.upload(make(image, video), content_type)
    assert problem(answer) == (422, "media-not-understood")
    assert (stored_files(), media_rows(environment), scratch_files()) == ([], 0, [])
    assert await bus.told(MediaUploadedV1) == []


@pytest.mark.promise("P33")
async def test_what_is_too_large_is_refused_before_it_is_all_there(
    team, environment, stored_files: Keys, scratch_files: Keys
):
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1024 * 1024)

    answer = await team.upload(endless())
    assert problem(answer) == (413, "media-too-large")
    assert answer.json()["limit_bytes"] == 32 * 1024 * 1024
    assert sent == 33
    assert (stored_files(), media_rows(environment), scratch_files()) == ([], 0, [])


async def test_an_announced_length_above_the_limit_is_refused_at_once(team):
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("read although it is too large")
        yield b""

    answer = await team.call(
        "POST", "/media", content=never(), headers={"Content-Type": "video/mp4", "Content-Length": str(600 * 2**20)}
    )
    assert problem(answer) == (413, "media-too-large")


@pytest.mark.promise("P33")
async def test_an_upload_cut_in_the_middle_leaves_nothing(
    app: Litestar, bus: Bus, environment, stored_files: Keys, scratch_files: Keys, passport, image, free_port: int
):
    data, workspace_id = image("PNG", (400, 300)), "0199aaaa-0000-7000-8000-000000000001"
    server = uvicorn.Server(configuration(app, "127.0.0.1", free_port))
    async with app.lifespan():
        serving = asyncio.ensure_future(server.serve())
        await wait_for(lambda: server.started)
        _, writer = await asyncio.open_connection("127.0.0.1", free_port)
        authorization = passport(account_id=UUID(int=1), workspace_id=UUID(workspace_id))["Authorization"]
        head = (
            f"POST /api/workspaces/{workspace_id}/media HTTP/1.1\r\nHost: here\r\nAuthorization: {authorization}\r\n"
            f"Content-Type: image/png\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        writer.write(head.encode() + data[: len(data) // 2])
        await writer.drain()
        await wait_for(scratch_files, what="the upload to be received")
        writer.close()
        await wait_for(lambda: not scratch_files(), what="the upload to be given up")
        assert (stored_files(), media_rows(environment)) == ([], 0)
        server.should_exit = True
        await serving


async def test_memory_does_not_grow_with_the_upload():
    """64 MiB go through the receiving file in pieces; nothing near that is ever held."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield bytes(64 * 1024)

    with tempfile.TemporaryFile() as file:
        tracemalloc.start()
        await _receive(pieces(), file, 64 * 2**20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 * 2**20


@pytest.mark.promise("P33")
async def test_an_upload_that_no_post_shows_is_removed_after_a_day(
    team, image, clock: MovableClock, environment, stored_files: Keys
):
    await team.upload(image())
    used = (await team.upload(image("PNG"), "image/png")).json()
    clock.advance(timedelta(hours=23))
    await team.write(team.variant(media=[{"media_id": used["media_id"], "alt_text": "x"}]))
    late = (await team.upload(image("WEBP"), "image/webp")).json()
    clock.advance(timedelta(hours=1, minutes=1))
    kept = sorted(f"media/{team.workspace_id}/{media['media_id']}" for media in (used, late))
    await wait_for(lambda: stored_files() == kept)
    await wait_for(lambda: media_rows(environment) == 2)


@pytest.mark.promise("P33")
async def test_media_of_a_deleted_post_are_removed_a_day_later_unless_another_shows_them(
    team, image, clock: MovableClock, environment, stored_files: Keys
):
    alone, shared = [(await team.upload(image())).json()["media_id"] for _ in range(2)]
    post = await team.write(team.variant(media=[{"media_id": alone}, {"media_id": shared}]))
    await team.write(team.variant(media=[{"media_id": shared}]))
    assert (await team.call("DELETE", f"/posts/{post['post_id']}")).status_code == 204
    assert len(stored_files()) == 2
    clock.advance(timedelta(hours=24, minutes=1))
    await wait_for(lambda: stored_files() == [f"media/{team.workspace_id}/{shared}"])
    await wait_for(lambda: media_rows(environment) == 1)


@pytest.mark.promise("P33")
async def test_what_a_crash_left_half_uploaded_is_removed(
    team, clock: MovableClock, environment, objects_folder: Path, stored_files: Keys
):
    key = f"media/{team.workspace_id}/{team.account_id}"
    (objects_folder / key).parent.mkdir(parents=True)
    (objects_folder / key).write_bytes(b"half")
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_CONTENT"]) as connection:
        connection.execute(
            "INSERT INTO media (workspace_id, media_id, state, kind, content_type, created_at, unreferenced_since)"
            " VALUES (%s, %s, 'uploading', 'image', 'image/jpeg', %s, %s)",
            (team.workspace_id, team.account_id, clock.now(), clock.now()),
        )
    answer = await team.call(
        "POST", "/posts", json={"title": "x", "variants": [team.variant(media=[{"media_id": str(team.account_id)}])]}
    )
    assert problem(answer) == (422, "invalid")
    clock.advance(timedelta(hours=24, minutes=1))
    await wait_for(lambda: stored_files() == [])
    await wait_for(lambda: media_rows(environment) == 0)


def take_away(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder any more")


def give_back(folder: Path) -> None:
    folder.unlink()
    folder.with_name("away").rename(folder)


async def test_an_object_store_that_is_away_costs_uploads_only(
    team, image, clock: MovableClock, environment, objects_folder: Path, stored_files: Keys
):
    await team.upload(image())
    take_away(objects_folder)
    clock.advance(timedelta(hours=24, minutes=1))
    await wait_for(lambda: media_rows(environment, "state = 'removing'") == 1)
    assert problem(await team.upload(image())) == (503, "unavailable")
    await team.write()
    assert (await team.client.get("/health/live")).status_code == 200
    assert media_rows(environment) == 2
    give_back(objects_folder)
    clock.advance(timedelta(hours=24, minutes=1))
    await wait_for(lambda: not stored_files() and media_rows(environment) == 0)
    assert (await team.upload(image())).status_code == 201


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("approver", 403), ("editor", 201)])
async def test_only_who_may_write_uploads(team, image, stored_files: Keys, role: str, status: int):
    assert (await team.upload(image(), role=role)).status_code == status
    assert len(stored_files()) == (1 if status == 201 else 0)
