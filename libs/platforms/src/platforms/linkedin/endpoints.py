"""Where LinkedIn is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkedInEndpoints:
    """Base addresses without a trailing slash. Upload addresses are named by LinkedIn, so only listed."""

    web: str = "https://www.linkedin.com"
    api: str = "https://api.linkedin.com"
    upload_hosts: tuple[str, ...] = ("*.linkedin.com",)
