"""A resumable upload: its session as the journal knows it, the question how far it is, and one chunk sent.

The video is uploaded as private, so every byte of it is invisible and safe to send again. Google alone
knows what it holds; what is in the journal is only where to ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from kit.secret import Secret

from platforms.errors import Transient
from platforms.shape import Call, Media
from platforms.wire import UPLOAD_SECONDS, Answer, send
from platforms.youtube import answers
from platforms.youtube.api import bearer
from platforms.youtube.endpoints import YouTubeEndpoints
from platforms.youtube.errors import api_error
from platforms.youtube.limits import CHUNK_BYTES


@dataclass(frozen=True)
class Session:
    """A started upload, as the journal's facts tell it. Its address is a credential."""

    uri: Secret
    started_at: datetime
    last_chunk_tried: bool

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Session | None:
        """None if no upload was started, or the last one was given up."""
        uri = facts.get("session_uri")
        if not uri:
            return None
        return cls(
            uri=uri if isinstance(uri, Secret) else Secret(uri),
            started_at=datetime.fromisoformat(facts["session_started_at"]),
            last_chunk_tried=bool(facts.get("last_chunk_tried")),
        )

    def to_facts(self) -> dict[str, Any]:
        return {
            "session_uri": self.uri.reveal(),
            "session_started_at": self.started_at.isoformat(),
            "last_chunk_tried": self.last_chunk_tried,
            "stored_bytes": 0,
        }


@dataclass(frozen=True)
class Progress:
    """What Google holds: so many bytes from the start, or the finished video."""

    stored_bytes: int
    video: answers.Video | None = None


class SessionGone(Exception):
    """The session has expired or is unknown."""


async def start(
    call: Call, endpoints: YouTubeEndpoints, video: Media, document: Mapping[str, Any], *, parts: str, notify: bool
) -> Session:
    """Ask for a session. What is said of the video is checked here; nothing exists on the channel yet."""
    query = {"uploadType": "resumable", "part": parts, "notifySubscribers": "true" if notify else "false"}
    headers = {
        "X-Upload-Content-Type": video.content_type,
        "X-Upload-Content-Length": str(video.size_bytes),
    }
    url = f"{endpoints.api}/upload/youtube/v3/videos"
    request = call.http.build_request("POST", url, params=query, json=document, headers=bearer(call) | headers)
    answer = await send(call.http, request)
    if answer.status != 200:
        raise api_error(answer, now=call.clock.now())
    location = answer.headers.get("location")
    if not location:
        raise Transient("session_missing", "YouTube named no address to upload to")
    return Session(Secret(location), call.clock.now(), last_chunk_tried=False)


async def probe(call: Call, session: Session, video: Media) -> Progress:
    """Ask how far the upload is. Changes nothing."""
    headers = {"Content-Length": "0", "Content-Range": f"bytes */{video.size_bytes}"}
    request = call.http.build_request("PUT", session.uri.reveal(), headers=bearer(call) | headers)
    return _progress(call, await send(call.http, request))


async def put_chunk(call: Call, session: Session, video: Media, start: int) -> Progress:
    """Send one chunk straight from the media store, never holding more than one piece of it."""
    assert video.source is not None
    end = chunk_end(start, video.size_bytes)
    headers = {
        "Content-Type": video.content_type,
        "Content-Length": str(end - start),
        "Content-Range": f"bytes {start}-{end - 1}/{video.size_bytes}",
    }
    request = call.http.build_request(
        "PUT",
        session.uri.reveal(),
        content=video.source.read(start, end),
        headers=bearer(call) | headers,
        timeout=httpx.Timeout(UPLOAD_SECONDS),
    )
    return _progress(call, await send(call.http, request, deadline_seconds=UPLOAD_SECONDS))


def chunk_end(start: int, size: int) -> int:
    """Where the chunk that begins at `start` ends (exclusive); the last one takes what is left."""
    return min(start + CHUNK_BYTES, size)


def _progress(call: Call, answer: Answer) -> Progress:
    match answer.status:
        case 200 | 201:
            video = answer.parse(answers.Video)
            return Progress(0, video)
        case 308:
            return Progress(_stored_bytes(answer))
        case 404 | 410:
            raise SessionGone
        case _:
            raise api_error(answer, now=call.clock.now())


def _stored_bytes(answer: Answer) -> int:
    """Read `bytes=0-N`, N being the last byte stored. Without the header nothing is."""
    found = re.fullmatch(r"bytes=0-(\d{1,15})", answer.headers.get("range", ""))
    return int(found[1]) + 1 if found else 0
