"""Content identifiers as the AT Protocol makes them: CIDv1 over raw bytes, and over records as DAG-CBOR.

Only what records can hold is encoded: no floats, and maps with text keys.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any

RAW = 0x55
DAG_CBOR = 0x71
_CID_TAG = b"\xd8\x2a"


def of_bytes_digest(sha256: bytes) -> str:
    """The CID of a blob (`bafkrei…`), from the SHA-256 of its bytes."""
    return _text(RAW, sha256)


def of_record(record: Any) -> str:
    """The CID of a record (`bafyrei…`)."""
    return _text(DAG_CBOR, hashlib.sha256(encode(record)).digest())


def encode(value: Any) -> bytes:
    """DAG-CBOR: shortest lengths, map keys ordered by length and then by bytes, links as tag 42."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case str():
            data = value.encode()
            return _head(3, len(data)) + data
        case list():
            return _head(4, len(value)) + b"".join(encode(item) for item in value)
        case {"$link": str(link), **rest} if not rest:
            data = b"\x00" + _bytes_of(link)
            return _CID_TAG + _head(2, len(data)) + data
        case dict():
            entries = sorted((key.encode(), item) for key, item in value.items())
            entries.sort(key=lambda entry: len(entry[0]))
            return _head(5, len(entries)) + b"".join(_head(3, len(k)) + k + encode(v) for k, v in entries)
        case _:
            raise ValueError(f"a record cannot hold {type(value).__name__}")


def _head(major: int, length: int) -> bytes:
    if length < 24:
        return bytes([major << 5 | length])
    for marker, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32), (27, ">Q", 1 << 64)):
        if length < limit:
            return bytes([major << 5 | marker]) + struct.pack(form, length)
    raise ValueError("the number is too large")


def _text(codec: int, digest: bytes) -> str:
    # Version 1, codec, SHA-256 (0x12) of 32 bytes (0x20), in lower-case base32 with its prefix letter.
    return "b" + base64.b32encode(bytes([1, codec, 0x12, 0x20]) + digest).decode().lower().rstrip("=")


def _bytes_of(cid: str) -> bytes:
    body = cid.removeprefix("b").upper()
    return base64.b32decode(body + "=" * (-len(body) % 8))
