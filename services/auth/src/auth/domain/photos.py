"""Photos of people: small, square, and without what a camera wrote into them."""

from __future__ import annotations

from http import HTTPStatus

from kit.problems import NotFound, Problem

PHOTO_BYTES_MAX = 5 * 1024 * 1024
"""What a telephone takes fits; it is read whole."""

PHOTO_PIXELS_MAX = 50_000_000
"""The largest cameras have as many. Decoding them takes 200 MB for a moment, which is why one is made at a time."""

PHOTO_SIDE = 256
"""Pixels; sharp enough beside a name on any screen."""

PHOTO_TYPE = "image/webp"


class PhotoRefused(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "photo-refused"
    title = "This is no JPEG, PNG or WebP image that can be read"


class NoPhoto(NotFound):
    title = "There is no photo"
