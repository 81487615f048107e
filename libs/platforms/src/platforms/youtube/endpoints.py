"""Where YouTube and Google's authorisation are. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class YouTubeEndpoints:
    """Base addresses without a trailing slash. An upload session is named by Google, on `upload_hosts`."""

    accounts: str = "https://accounts.google.com"
    oauth: str = "https://oauth2.googleapis.com"
    api: str = "https://www.googleapis.com"
    analytics: str = "https://youtubeanalytics.googleapis.com"
    hub: str = "https://pubsubhubbub.appspot.com"
    watch: str = "https://www.youtube.com"
    feeds: str = "https://www.youtube.com"
    upload_hosts: tuple[str, ...] = ("www.googleapis.com", "youtube.googleapis.com")

    @classmethod
    def at(cls, base: str) -> Self:
        """Everything on one server."""
        return cls(base, base, base, base, base, base, upload_hosts=(urlsplit(base).netloc,))

    def hosts(self) -> tuple[str, ...]:
        """Every host that is called; the pages that people open are not."""
        called = (self.oauth, self.api, self.analytics, self.hub)
        return (*dict.fromkeys([urlsplit(base).netloc for base in called] + list(self.upload_hosts)),)
