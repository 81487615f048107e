"""The demo's media are what they say they are."""

from __future__ import annotations

import io

import av
from PIL import Image
from signoff.demo.media import make_image, make_video


def test_the_video_is_a_real_mp4():
    data = make_video()
    assert data[4:8] == b"ftyp"
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert min(stream.codec_context.width, stream.codec_context.height) >= 360
        assert stream.average_rate == 30
        frames = [frame.to_image() for frame in container.decode(stream)]
    assert len(frames) == 90
    assert frames[0].getpixel((270, 100)) != frames[-1].getpixel((270, 100))


def test_the_image_is_a_real_jpeg():
    image = Image.open(io.BytesIO(make_image()))
    image.load()
    assert (image.format, image.size) == ("JPEG", (1200, 900))
