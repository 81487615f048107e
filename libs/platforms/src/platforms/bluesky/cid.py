"""Content identifiers of records, computed here: a reply names the post above it by the identifier of its content.

CIDv1 of DAG-CBOR with SHA-256 (https://atproto.com/specs/data-model). A record holds no other types than these.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

_PREFIX = bytes((0x01, 0x71, 0x12, 0x20))
"""Version 1, DAG-CBOR, SHA-256, 32 bytes."""
_LINK = b"\xd8\x2a"
"""CBOR's tag 42: what follows is an identifier."""


def cid_of(record: Any) -> str:
    """`bafyrei…`, the identifier that every server computes for this content."""
    digest = hashlib.sha256(_encoded(record)).digest()
    return "b" + base64.b32encode(_PREFIX + digest).decode().rstrip("=").lower()


def _encoded(value: Any) -> bytes:
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _headed(0, value) if value >= 0 else _headed(1, -1 - value)
    if isinstance(value, str):
        return _headed(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _headed(4, len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, dict):
        return _encoded_link(value["$link"]) if value.keys() == {"$link"} else _encoded_map(value)
    raise TypeError(f"a record cannot hold a {type(value).__name__}")


def _encoded_map(value: dict[str, Any]) -> bytes:
    """Keys in the one order there is: the shorter first, equally long ones by their bytes."""
    keys = sorted((key.encode() for key in value), key=lambda key: (len(key), key))
    pairs = (_headed(3, len(key)) + key + _encoded(value[key.decode()]) for key in keys)
    return _headed(5, len(keys)) + b"".join(pairs)


def _encoded_link(link: str) -> bytes:
    text = link[1:].upper()
    raw = b"\x00" + base64.b32decode(text + "=" * (-len(text) % 8))
    return _LINK + _headed(2, len(raw)) + raw


def _headed(major: int, number: int) -> bytes:
    """CBOR's head: the kind, and the number in as few bytes as it fits."""
    if number < 24:
        return bytes((major << 5 | number,))
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes((major << 5 | 23 + size.bit_length(),)) + number.to_bytes(size, "big")
