"""Where TikTok is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TikTokEndpoints:
    """Base addresses without a trailing slash. Upload addresses are named by TikTok, so only listed."""

    web: str = "https://www.tiktok.com"
    api: str = "https://open.tiktokapis.com"
    upload_hosts: tuple[str, ...] = ("*.tiktokapis.com",)
