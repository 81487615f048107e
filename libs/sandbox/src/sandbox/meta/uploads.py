"""The upload host: raw bytes from an offset on, kept as far as they came, and odd errors of its own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from litestar import Response

from sandbox.fetching import NotFetched, fetch
from sandbox.meta.answers import AnyRequest, answer
from sandbox.truth import PostedMedia

UPLOAD_BYTES_MAX = 4_000_000_000


class Hash(Protocol):
    """The part of a hashlib object that is used here."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass
class Upload:
    """A file on its way. The bytes are hashed as they come and not kept."""

    size: int | None = None
    stored: int = 0
    content_type: str = "video/mp4"
    digest: Hash = field(default_factory=hashlib.sha256)
    fetched: PostedMedia | None = None

    @property
    def complete(self) -> bool:
        return self.fetched is not None or (self.size is not None and self.stored >= self.size)

    def posted(self) -> PostedMedia:
        return self.fetched or PostedMedia(self.digest.hexdigest(), self.stored, self.content_type)

    def take(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.stored += len(piece)


async def receive(request: AnyRequest, upload: Upload) -> Response[bytes]:
    """Take the bytes of one request, or fetch them from the address in its `file_url` header."""
    address = request.headers.get("file_url")
    if address is not None:
        return await _pull(address, upload)
    offset, size = request.headers.get("offset", ""), request.headers.get("file_size", "")
    if not offset.isdigit() or not size.isdigit() or not 0 < int(size) <= UPLOAD_BYTES_MAX:
        await _drain(request.stream())
        return refused("ProcessingFailedError", "offset and file_size are required", retriable=False)
    if int(offset) != upload.stored or upload.size not in (None, int(size)):
        await _drain(request.stream())
        return refused("OffsetInvalidError", f"Upload is at offset {upload.stored}", retriable=True)
    upload.size = int(size)
    async for piece in request.stream():
        upload.take(piece)
    if upload.stored > upload.size:
        return refused("ProcessingFailedError", "More bytes than file_size", retriable=False)
    if not upload.complete:
        return refused("PartialRequestError", f"Only {upload.stored} bytes of {size} came", retriable=True)
    return answer({"success": True, "message": "Upload successful."})


def refused(kind: str, message: str, *, retriable: bool) -> Response[bytes]:
    """An error of this host, which is in no envelope."""
    told: dict[str, Any] = {"retriable": retriable, "type": kind, "message": message}
    return answer({"debug_info": told}, 400)


async def _pull(address: str, upload: Upload) -> Response[bytes]:
    try:
        upload.fetched = await fetch(address)
    except NotFetched as error:
        return refused("ProcessingFailedError", str(error), retriable=False)
    return answer({"success": True, "message": "Upload successful."})


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Read what is still to come first: a caller that is sending would see a reset instead of the answer."""
    async for _ in stream:
        pass
