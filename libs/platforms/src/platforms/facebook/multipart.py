"""One file in a form, streamed from the media store: the length is known before, and nothing is held whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from platforms.meta.graph import PROOF, Graph, Key, form_of
from platforms.shape import Call, Media
from platforms.wire import UPLOAD_SECONDS


def form_with_file(
    graph: Graph, call: Call, path: str, fields: Mapping[str, Any], *, name: str, media: Media, start: int, end: int
) -> httpx.Request:
    """A POST of fields and the bytes `start` to `end` of one file, the same for the same file every time."""
    assert media.source is not None
    key = Key.of(call.grant)
    form = form_of(fields) | ({PROOF: key.proof.reveal()} if key.proof else {})
    # A digest cannot stand in the file that it is the digest of, save by a chance nobody need fear.
    boundary = f"signoff-{media.sha256}"
    head = b"".join(_field(boundary, field, value) for field, value in form.items()) + _file(boundary, name, media)
    tail = f"\r\n--{boundary}--\r\n".encode()
    return call.http.build_request(
        "POST",
        f"{graph.base}/{graph.version}/{path}",
        content=_body(head, media, start, end, tail),
        headers={
            "Authorization": f"Bearer {key.token.reveal()}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + end - start + len(tail)),
        },
        timeout=UPLOAD_SECONDS,
    )


async def _body(head: bytes, media: Media, start: int, end: int, tail: bytes) -> AsyncIterator[bytes]:
    assert media.source is not None
    yield head
    async for piece in media.source.read(start, end):
        yield piece
    yield tail


def _field(boundary: str, name: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _file(boundary: str, name: str, media: Media) -> bytes:
    suffix = media.content_type.partition("/")[2]
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.{suffix}"\r\n'
        f"Content-Type: {media.content_type}\r\n\r\n"
    ).encode()
