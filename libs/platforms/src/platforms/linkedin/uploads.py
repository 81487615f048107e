"""A file's way to LinkedIn: begun, sent whole or in the parts that LinkedIn names, finished, and waited for.

All of it is invisible. `assets` in the journal says how far each file came; `uploads` holds the addresses, which are
credentials. A file that LinkedIn lost is begun anew, which leaves nothing behind that anybody sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn

import msgspec
from kit.secret import Secret

from platforms.errors import RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.linkedin import limits
from platforms.linkedin.answers import Asset, Begun, Instruction, Upload
from platforms.linkedin.api import LinkedInApi, encoded
from platforms.linkedin.errors import ROLE_CODES, api_error
from platforms.shape import Call, Journal, Media, MediaKind
from platforms.wire import UPLOAD_SECONDS, Answer, send

ROOMS = {MediaKind.IMAGE: "images", MediaKind.VIDEO: "videos", MediaKind.DOCUMENT: "documents"}
_EXPORT_AGAIN = "Export the file anew, upload it again and have the post approved again."


class Uploads:
    """Brings files and says what they are called."""

    def __init__(self, api: LinkedInApi) -> None:
        self._api = api

    async def bring(self, call: Call, media: Media, position: int, journal: Journal) -> None:
        """Do what is left of one file's way. Raises `RateLimited` while LinkedIn processes it."""
        asset = _asset(journal.facts, position)
        if asset.get("urn") is None:
            await self._begin(call, media, position, journal)
        if not _asset(journal.facts, position).get("sent"):
            await self._send(call, media, position, journal)
        if not _asset(journal.facts, position).get("ready"):
            await self._wait(call, media, position, journal)

    async def _begin(self, call: Call, media: Media, position: int, journal: Journal) -> None:
        room, request = ROOMS[media.kind], {"owner": call.grant.account_id}
        more: dict[str, Any] = {}
        if media.kind is MediaKind.VIDEO:
            more = {"fileSizeBytes": media.size_bytes, "uploadCaptions": False, "uploadThumbnail": False}
        body = {"initializeUploadRequest": request | more}
        begun = (await self._api.act(call, f"{room}?action=initializeUpload", body)).parse(Begun).value
        whole = Instruction(begun.upload_url, 0, media.size_bytes - 1)
        begun = msgspec.structs.replace(begun, upload_instructions=begun.upload_instructions or (whole,))
        if not begun.urn or not _covers(begun.upload_instructions, media.size_bytes):
            raise Transient("answer_malformed", "LinkedIn's parts do not make up the file")
        kept = _uploads(journal.facts) | {str(position): begun}
        await journal.record(uploads=msgspec.json.encode(kept).decode(), **_with(journal, position, urn=begun.urn))

    async def _send(self, call: Call, media: Media, position: int, journal: Journal) -> None:
        """Send the parts that are missing. Each is noted with the mark that LinkedIn gives it."""
        upload = _uploads(journal.facts).get(str(position))
        ends_at = upload.ends_at / 1000 if upload else 0
        if upload is None or (ends_at and call.clock.now().timestamp() >= ends_at):
            await _anew(journal, position, "upload_expired")
        marks = list(_asset(journal.facts, position).get("marks") or ())
        for part in upload.upload_instructions[len(marks) :]:
            marks.append(await self._send_part(call, media, part, position, journal))
            await journal.record(**_with(journal, position, marks=marks))
        if media.kind is MediaKind.VIDEO:
            await self._finish(call, upload, marks, position, journal)
        left = {name: value for name, value in _uploads(journal.facts).items() if name != str(position)}
        now = call.clock.now().isoformat()
        await journal.record(uploads=msgspec.json.encode(left).decode(), **_with(journal, position, sent=now))

    async def _send_part(self, call: Call, media: Media, part: Instruction, position: int, journal: Journal) -> str:
        assert media.source is not None
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(part.last_byte - part.first_byte + 1),
        }
        if media.kind is not MediaKind.VIDEO:
            # The addresses of a video's parts are signed and refuse a token beside that.
            headers["Authorization"] = f"Bearer {call.grant.access_token.reveal()}"
        request = call.http.build_request(
            "PUT",
            part.upload_url,
            content=media.source.read(part.first_byte, part.last_byte + 1),
            headers=headers,
            timeout=UPLOAD_SECONDS,
        )
        answer = await send(call.http, request, deadline_seconds=UPLOAD_SECONDS)
        mark: str = answer.headers.get("etag", "").strip('"')
        if answer.status in (200, 201) and (mark or media.kind is not MediaKind.VIDEO):
            return mark
        return await _refused(call, answer, position, journal)

    async def _finish(self, call: Call, upload: Upload, marks: list[str], position: int, journal: Journal) -> None:
        body = {"video": upload.urn, "uploadToken": upload.upload_token, "uploadedPartIds": marks}
        try:
            await self._api.act(call, "videos?action=finalizeUpload", {"finalizeUploadRequest": body})
        except Rejected as error:
            # It may have been finished before, without an answer; whatever it is, a new upload is clean.
            await _anew(journal, position, error.code)

    async def _wait(self, call: Call, media: Media, position: int, journal: Journal) -> None:
        asset = _asset(journal.facts, position)
        try:
            told = await self._api.get(call, f"{ROOMS[media.kind]}/{encoded(asset['urn'])}", Asset)
        except ReauthorisationNeeded as error:
            if error.code not in ROLE_CODES:
                raise
            # Who may only write cannot look; the post itself is refused while the file is not ready.
            await journal.record(**_with(journal, position, ready="unseen"))
            return
        except Rejected as error:
            await _anew(journal, position, error.code)
        if told.status == "AVAILABLE":
            await journal.record(**_with(journal, position, ready="seen"))
            return
        if told.status == "PROCESSING_FAILED":
            raise Rejected("media_failed", "LinkedIn could not process a file", advice=_EXPORT_AGAIN)
        now, sent = call.clock.now(), datetime.fromisoformat(asset["sent"])
        if told.status == "WAITING_UPLOAD" and now - sent > timedelta(seconds=limits.UPLOAD_MISSING_SECONDS):
            await _anew(journal, position, "upload_missing")
        until = now + timedelta(seconds=limits.PROCESSING_ASK_AGAIN_SECONDS)
        raise RateLimited("media_processing", "LinkedIn is still processing a file", until=until)


def urns_of(facts: Mapping[str, Any], count: int) -> list[str]:
    """What the post's files are called, in their order. Raises `Transient` if one is not there yet."""
    assets = [_asset(facts, position) for position in range(count)]
    if not all(asset.get("ready") for asset in assets):
        raise Transient("not_staged", "a file of the post is not at LinkedIn yet; stage again")
    return [asset["urn"] for asset in assets]


async def _refused(call: Call, answer: Answer, position: int, journal: Journal) -> str:
    """A storage speaks of expired addresses in several ways; each means a new one."""
    error = api_error(answer, now=call.clock.now())
    if answer.status in (400, 403, 404, 410):
        await _anew(journal, position, error.code)
    raise error if answer.status >= 300 else Transient("mark_missing", "LinkedIn gave a part of the video no mark")


async def _anew(journal: Journal, position: int, code: str) -> NoReturn:
    """Forget the file's upload, so that the next attempt begins it again. Always raises."""
    begun = int(journal.facts.get("begun_anew") or 0) + 1
    assets = {name: value for name, value in _assets(journal.facts).items() if name != str(position)}
    await journal.record(assets=assets, begun_anew=begun)
    if begun > limits.UPLOADS_ANEW_MAX:
        raise Rejected(code, "LinkedIn refused a file again and again", advice=_EXPORT_AGAIN)
    raise Transient(code, "a file's upload is no longer good; it is begun anew")


def _covers(parts: tuple[Instruction, ...], size: int) -> bool:
    """True if the parts are the file from its first to its last byte, without gaps."""
    ends = [-1, *(part.last_byte for part in parts)]
    joined = all(part.first_byte == end + 1 <= part.last_byte for part, end in zip(parts, ends, strict=False))
    return joined and ends[-1] == size - 1 and len(parts) <= limits.VIDEO_PARTS_MAX


def _assets(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(facts.get("assets") or {})


def _asset(facts: Mapping[str, Any], position: int) -> dict[str, Any]:
    return _assets(facts).get(str(position), {})


def _with(journal: Journal, position: int, **told: Any) -> dict[str, Any]:
    """The fact `assets` with more known of one file."""
    asset = _asset(journal.facts, position) | told
    return {"assets": _assets(journal.facts) | {str(position): asset}}


def _uploads(facts: Mapping[str, Any]) -> dict[str, Upload]:
    kept = facts.get("uploads") or "{}"
    return msgspec.json.decode(kept.reveal() if isinstance(kept, Secret) else kept, type=dict[str, Upload])
