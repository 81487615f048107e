"""A real video and a real image for the demo, drawn and encoded here so that nothing is fetched."""

from __future__ import annotations

import io

import av
from av.video.stream import VideoStream
from PIL import Image, ImageDraw

VIDEO_SIZE = (540, 960)
IMAGE_SIZE = (1200, 900)
FRAMES_PER_SECOND = 30
VIDEO_SECONDS = 3

_NIGHT, _DAWN, _SUN = (24, 32, 72), (244, 162, 97), (255, 233, 180)


def make_video() -> bytes:
    """Three seconds of a sun that rises, as MP4 with H.264."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = VIDEO_SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "30"}
        frames = FRAMES_PER_SECOND * VIDEO_SECONDS
        for number in range(frames):
            picture = _sunrise(VIDEO_SIZE, number / frames)
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def make_image() -> bytes:
    """The same sun at its height, as JPEG."""
    target = io.BytesIO()
    _sunrise(IMAGE_SIZE, 0.9).save(target, "JPEG", quality=88)
    return target.getvalue()


def _sunrise(size: tuple[int, int], progress: float) -> Image.Image:
    """The sky at a moment between night (0) and day (1)."""
    width, height = size
    picture = Image.new("RGB", size, _mix(_NIGHT, _DAWN, progress))
    draw = ImageDraw.Draw(picture)
    radius = width // 6
    centre_x, centre_y = width // 2, int(height * (0.95 - 0.55 * progress))
    draw.ellipse((centre_x - radius, centre_y - radius, centre_x + radius, centre_y + radius), fill=_SUN)
    draw.rectangle((0, int(height * 0.8), width, height), fill=_mix(_NIGHT, (38, 110, 84), progress))
    return picture


def _mix(start: tuple[int, int, int], end: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (int(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return red, green, blue
