"""Where Instagram is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InstagramEndpoints:
    """Base addresses without a trailing slash: the page people see, where codes are traded, the API."""

    web: str = "https://www.instagram.com"
    login: str = "https://api.instagram.com"
    graph: str = "https://graph.instagram.com"
