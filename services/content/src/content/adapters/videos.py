"""Finds out what a video is: its container by the first bytes, the rest by opening it and decoding one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import structlog

from content.domain.media import PIXELS_MAX, Understood
from content.domain.problems import MediaNotUnderstood

if TYPE_CHECKING:
    from av.container import InputContainer

log = structlog.get_logger("videos")

_DEMUXERS = {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm"}

_OPTIONS = {
    # Playlists and references may name other files and addresses: nothing but the given bytes is read.
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}

_HEAD_BYTES = 64
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip"}
"""What a QuickTime file without a brand begins with."""

_EBML = b"\x1a\x45\xdf\xa3"


def understand_video(file: BinaryIO, content_type: str) -> Understood:
    """Open and decode the first frame; raises `MediaNotUnderstood` for whatever goes wrong. Blocking."""
    # FFmpeg takes 17 MB, which only who gets a video has to pay.
    import av  # noqa: PLC0415

    file.seek(0)
    found = _container(file.read(_HEAD_BYTES))
    if found != content_type:
        raise MediaNotUnderstood(f"This is {found or 'no video that is known here'}, not {content_type}.")
    file.seek(0)
    try:
        with av.open(file, mode="r", format=_DEMUXERS[content_type], options=_OPTIONS, metadata_errors="ignore") as it:
            return _understand(it, units_per_second=av.time_base)
    except MediaNotUnderstood:
        raise
    except Exception as error:
        # A decoder that is fed by strangers may raise anything; it always means the same to them, not to us.
        log.warning("video_not_decoded", error=type(error).__name__)
        raise MediaNotUnderstood("The video cannot be decoded.") from error


def _understand(container: InputContainer, *, units_per_second: int) -> Understood:
    if not container.streams.video:
        raise MediaNotUnderstood("The file has no picture.")
    stream = container.streams.video[0]
    if stream.width * stream.height > PIXELS_MAX:
        raise MediaNotUnderstood(f"The picture has {stream.width} × {stream.height} pixels; {PIXELS_MAX} are taken.")
    frame = next(container.decode(stream))
    turned = frame.rotation % 180 != 0
    rate = stream.average_rate
    return Understood(
        width=frame.height if turned else frame.width,
        height=frame.width if turned else frame.height,
        duration_seconds=container.duration / units_per_second if container.duration else None,
        frames_per_second=float(rate) if rate else None,
        codec=stream.codec_context.name,
    )


def _container(head: bytes) -> str | None:
    """The content type that the first bytes tell."""
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[4:8] in _QUICKTIME_ATOMS:
        return "video/quicktime"
    if head.startswith(_EBML):
        return "video/webm" if b"webm" in head else "video/x-matroska"
    return None
