"""Where Pinterest is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PinterestEndpoints:
    """Base addresses without a trailing slash. The upload address is named by Pinterest, so only listed."""

    web: str = "https://www.pinterest.com"
    api: str = "https://api.pinterest.com/v5"
    upload_hosts: tuple[str, ...] = ("pinterest-media-upload.s3-accelerate.amazonaws.com",)
