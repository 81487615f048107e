"""Small JSON documents as objects."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from kit.objects import Objects

DOCUMENT_BYTES = 8192
"""Every document is filled up to this with spaces, so that one is read without asking for its size first."""


async def write_document(objects: Objects, key: str, document: Mapping[str, Any]) -> None:
    body = json.dumps(document).encode().ljust(DOCUMENT_BYTES)
    await objects.write(key, _whole(body), limit_bytes=DOCUMENT_BYTES)


async def read_document(objects: Objects, key: str) -> dict[str, Any]:
    body = b"".join([piece async for piece in objects.read(key, 0, DOCUMENT_BYTES)])
    document: dict[str, Any] = json.loads(body)
    return document


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body
