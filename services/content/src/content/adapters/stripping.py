"""Takes out of an image what tells about the person: where and with what it was made, comments, thumbnails.

Platforms do not do this for us. The picture itself is copied bit by bit; what is kept besides is what colours
and turns it. A GIF is copied whole: cameras do not write it, and it has no place for a position.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO

from PIL import Image

from content.domain.problems import MediaNotUnderstood

BLOCKS_MAX = 20_000
"""Far above any real image; a file made of nothing but empty blocks would keep a core busy."""

_ORIENTATION = 0x0112

_JPEG_START, _JPEG_END, _JPEG_SCAN, _JPEG_COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_JPEG_ALONE = {0x01, *range(0xD0, 0xD8)}
_JPEG_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application segments that the picture needs, by marker and how they begin. The others are metadata."""

_EXIF = b"Exif\0\0"
_NEXT_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST sPLT pHYs acTL fcTL fdAT".split()
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_EXIF_FLAG, _WEBP_XMP_FLAG = 0x08, 0x04


def strip_metadata(received: BinaryIO, stripped: BinaryIO, content_type: str) -> None:
    """Copy an image without its metadata; raises `MediaNotUnderstood` if it is not built as it should be. Blocking."""
    received.seek(0)
    data = received.read()
    try:
        for number, block in enumerate(_STRIPPERS[content_type](data)):
            if number > BLOCKS_MAX:
                raise MediaNotUnderstood("The image has too many parts.")
            stripped.write(block)
    except (IndexError, struct.error, ValueError) as error:
        raise MediaNotUnderstood(f"This is not a complete {content_type}.") from error


def _jpeg(data: bytes) -> Iterator[bytes]:
    if data[:2] != b"\xff\xd8":
        raise ValueError("no start of image")
    yield data[:2]
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == _JPEG_END:
            # What follows the end is no part of the picture: other pictures, films, their metadata.
            yield data[at : at + 2]
            return
        elif marker in _JPEG_ALONE:
            yield data[at : at + 2]
            at += 2
        else:
            end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
            if marker == _JPEG_SCAN:
                end = _end_of_scan(data, end)
            yield _jpeg_segment(marker, data[at:end])
            at = end


def _end_of_scan(data: bytes, start: int) -> int:
    found = _NEXT_JPEG_MARKER.search(data, start)
    if found is None:
        raise ValueError("cut off in the picture")
    return found.start()


def _jpeg_segment(marker: int, segment: bytes) -> bytes:
    content = segment[4:]
    if marker == 0xE1 and content.startswith(_EXIF):
        turned = _only_orientation(content[len(_EXIF) :])
        return struct.pack(">BBH", 0xFF, marker, 2 + len(_EXIF) + len(turned)) + _EXIF + turned if turned else b""
    if marker == _JPEG_COMMENT or 0xE0 <= marker <= 0xEF:
        beginning = _JPEG_KEPT.get(marker)
        return segment if beginning and content.startswith(beginning) else b""
    return segment


def _png(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_PNG_SIGNATURE):
        raise ValueError("no signature")
    yield _PNG_SIGNATURE
    at = len(_PNG_SIGNATURE)
    while True:
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if name == b"eXIf":
            turned = _only_orientation(data[at + 8 : end - 4])
            yield _png_chunk(name, turned) if turned else b""
        elif name in _PNG_KEPT:
            yield data[at:end]
        elif not name[0] & 0x20:
            raise ValueError("a critical part that is not known")
        at = end
        if name == b"IEND":
            return


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _webp(data: bytes) -> Iterator[bytes]:
    riff, size, webp = struct.unpack_from("<4sI4s", data)
    if riff != b"RIFF" or webp != b"WEBP" or size + 8 > len(data):
        raise ValueError("no WebP, or cut off")
    chunks = list(_webp_chunks(data, 8 + size))
    yield struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, chunks)), b"WEBP")
    yield from chunks


def _webp_chunks(data: bytes, end_of_file: int) -> Iterator[bytes]:
    kept: dict[int, bytes] = {}
    extended: int | None = None
    turned, at, number = b"", 12, 0
    while at + 8 <= end_of_file and number <= BLOCKS_MAX:
        name, size = struct.unpack_from("<4sI", data, at)
        content = data[at + 8 : at + 8 + size]
        if name == b"EXIF":
            turned = _only_orientation(content.removeprefix(_EXIF))
        elif name in _WEBP_KEPT:
            kept[number] = _webp_chunk(name, content)
            extended = number if name == b"VP8X" else extended
        at, number = at + 8 + size + size % 2, number + 1
    if extended is not None:
        flags = kept[extended][8] & ~(_WEBP_EXIF_FLAG | _WEBP_XMP_FLAG) | (_WEBP_EXIF_FLAG if turned else 0)
        kept[extended] = kept[extended][:8] + bytes([flags]) + kept[extended][9:]
        kept[number] = _webp_chunk(b"EXIF", turned) if turned else b""
    yield from kept.values()


def _webp_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)


def _gif(data: bytes) -> Iterator[bytes]:
    yield data


def _only_orientation(exif: bytes) -> bytes:
    """An Exif block that says how the picture is turned and nothing else; empty if it is upright."""
    known = Image.Exif()
    try:
        known.load(exif)
        value = known.get(_ORIENTATION)
    except Exception:
        # Broken metadata is left out like all other metadata.
        return b""
    if not isinstance(value, int) or not 2 <= value <= 8:
        return b""
    # Little-endian TIFF, one directory at 8 with one entry: orientation, short, once.
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, _ORIENTATION, 3, 1, value, 0, 0)


_STRIPPERS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = MappingProxyType(
    {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp, "image/gif": _gif}
)
