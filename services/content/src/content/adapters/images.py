"""Finds out what an image is by decoding it, without being filled up by it."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

from content.domain.media import PIXELS_MAX, Understood
from content.domain.problems import MediaNotUnderstood

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}

_ORIENTATION = 0x0112
_TURNED_BY_A_QUARTER = {5, 6, 7, 8}
"""Values of the Exif orientation that swap width and height."""


def understand_image(file: BinaryIO, content_type: str) -> Understood:
    """Decode the first picture; raises `MediaNotUnderstood` for whatever goes wrong. Blocking."""
    expected = _FORMATS[content_type]
    try:
        file.seek(0)
        with Image.open(file, formats=[expected]) as image:
            width, height = image.size
            if width * height > PIXELS_MAX:
                raise MediaNotUnderstood(f"The image has {width} × {height} pixels; {PIXELS_MAX} are taken.")
            turned = image.getexif().get(_ORIENTATION) in _TURNED_BY_A_QUARTER
            # A JPEG is decoded at an eighth: every byte is read, so a cut is noticed, at a fraction of the memory.
            image.draft(image.mode, (max(1, width // 8), max(1, height // 8)))
            image.load()
    except MediaNotUnderstood:
        raise
    except Exception as error:
        # A decoder that is fed by strangers may raise anything; it always means the same.
        raise MediaNotUnderstood(f"This is not a complete {expected} image.") from error
    return Understood(height, width) if turned else Understood(width, height)
