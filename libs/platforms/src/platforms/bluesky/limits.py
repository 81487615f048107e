"""Bluesky's numbers in one place, from the lexicons and the reference server."""

from __future__ import annotations

TEXT_GRAPHEMES_MAX = 300
TEXT_BYTES_MAX = 3000
IMAGES_MAX = 4
IMAGE_BYTES_MAX = 2_000_000
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
VIDEO_TYPE = "video/mp4"
# A video goes through uploadBlob, which takes 50 MiB; the separate video service would take 300 MB.
VIDEO_BYTES_MAX = 50 * 1024 * 1024
VIDEO_SECONDS_MAX = 600.0
LANGUAGES_MAX = 3
TAG_GRAPHEMES_MAX = 64

INSIGHTS_URIS_MAX = 25
AUTHORISATION_SECONDS = 600
# A public client's session ends after two weeks, however often it is renewed.
SESSION_SECONDS = 14 * 24 * 3600
RATE_LIMIT_WAIT_SECONDS = 300
