"""Google's own Python client against the sandbox, with nothing changed but the address."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import googleapiclient
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload
from kit.clock import FixedClock
from platforms.shape import Call
from platforms.youtube.limits import CHUNK_STEP_BYTES
from sandbox.server import Sandbox
from sandbox.youtube.platform import YouTubeSandbox

from libs.platforms.tests.conformance.specifications import folder_of

BUNDLED = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
FILM = hashlib.sha256(b"film").digest() * 20_000
METADATA: dict[str, dict[str, Any]] = {
    "snippet": {"title": "From Google", "description": "By its own client", "categoryId": "22"},
    "status": {"privacyStatus": "private", "selfDeclaredMadeForKids": False},
}


def document_of(name: str, base: str) -> Mapping[str, Any]:
    """The published document, or the one in the client, at another address."""
    document: dict[str, Any] = json.loads(((folder_of("youtube") or BUNDLED) / name).read_text())
    document.pop("mtlsRootUrl", None)
    return document | {"rootUrl": f"{base}/", "baseUrl": f"{base}/"}


@pytest.fixture
def google(sandbox: Sandbox, call: Call) -> Callable[[str], Any]:
    """A service of Google's client, signed in with the refresh token alone."""
    base = sandbox.base_urls["youtube"]
    assert call.grant.refresh_token is not None
    credentials = Credentials(
        None,
        refresh_token=call.grant.refresh_token.reveal(),
        token_uri=f"{base}/token",
        client_id="sandbox-client-id",
        client_secret="sandbox-client-secret",
    )
    return lambda name: build_from_document(document_of(name, base), credentials=credentials)


async def test_it_uploads_shows_comments_and_reads_back(
    google: Callable[[str], Any], sandbox: Sandbox, server: YouTubeSandbox, clock: FixedClock
) -> None:
    youtube = google("youtube.v3.json")

    def publish() -> str:
        media = MediaIoBaseUpload(io.BytesIO(FILM), "video/mp4", chunksize=CHUNK_STEP_BYTES, resumable=True)
        upload = youtube.videos().insert(part="snippet,status", body=METADATA, media_body=media)
        chunks, video = 0, None
        while video is None:
            _, video = upload.next_chunk()
            chunks += 1
        assert chunks == 3
        picture = MediaIoBaseUpload(io.BytesIO(b"picture"), "image/jpeg")
        youtube.thumbnails().set(videoId=video["id"], media_body=picture).execute()
        shown = {"id": video["id"], "status": {**METADATA["status"], "privacyStatus": "public"}}
        youtube.videos().update(part="status", body=shown).execute()
        written = {"snippet": {"videoId": video["id"], "topLevelComment": {"snippet": {"textOriginal": "Hello"}}}}
        youtube.commentThreads().insert(part="snippet", body=written).execute()
        return str(video["id"])

    video_id = await asyncio.to_thread(publish)
    clock.advance(timedelta(minutes=5))
    (post,) = sandbox.truth.posts("youtube")
    assert (post.post_id, post.text) == (video_id, "By its own client")
    assert post.media[0].sha256 == hashlib.sha256(FILM).hexdigest()

    def read() -> tuple[Any, Any, Any]:
        listed = youtube.videos().list(part="snippet,status,statistics,processingDetails", id=video_id).execute()
        threads = youtube.commentThreads().list(part="snippet", videoId=video_id).execute()
        channel = youtube.channels().list(part="contentDetails", mine=True).execute()["items"][0]
        uploads = channel["contentDetails"]["relatedPlaylists"]["uploads"]
        return listed, threads, youtube.playlistItems().list(part="contentDetails", playlistId=uploads).execute()

    listed, threads, uploads = await asyncio.to_thread(read)
    assert listed["items"][0]["snippet"]["title"] == "From Google"
    assert listed["items"][0]["processingDetails"]["processingStatus"] == "succeeded"
    assert int(listed["items"][0]["statistics"]["viewCount"]) > 0
    assert threads["items"][0]["snippet"]["topLevelComment"]["snippet"]["textOriginal"] == "Hello"
    assert [item["contentDetails"]["videoId"] for item in uploads["items"]] == [video_id]
    assert server.state.videos[video_id].thumbnail is not None


async def test_it_reads_analytics_and_understands_a_refusal(google: Callable[[str], Any]) -> None:
    def ask() -> tuple[Any, str]:
        question = {"ids": "channel==MINE", "startDate": "2026-08-01", "endDate": "2026-08-31", "metrics": "views"}
        table = google("youtubeAnalytics.v2.json").reports().query(**question).execute()
        with pytest.raises(HttpError) as caught:
            google("youtube.v3.json").videos().delete(id="neverexists").execute()
        return table, caught.value.error_details[0]["reason"]

    table, reason = await asyncio.to_thread(ask)
    assert table["columnHeaders"] == [{"name": "views", "columnType": "METRIC", "dataType": "INTEGER"}]
    assert reason == "videoNotFound"
