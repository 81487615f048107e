"""Where Facebook is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FacebookEndpoints:
    """Base addresses without a trailing slash. Upload addresses are named by Facebook, so only listed."""

    web: str = "https://www.facebook.com"
    graph: str = "https://graph.facebook.com"
    video: str = "https://graph-video.facebook.com"
    upload_hosts: tuple[str, ...] = ("rupload.facebook.com",)
