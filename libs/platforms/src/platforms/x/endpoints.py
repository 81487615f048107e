"""Where X is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class XEndpoints:
    """Base addresses without a trailing slash: `web` is what people see, `api` what we call."""

    web: str = "https://x.com"
    api: str = "https://api.x.com"
