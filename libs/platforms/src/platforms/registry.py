"""Which platforms there are. Adding one is its lines in this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.platform import Bluesky
from platforms.shape import Platform, PlatformName
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.platform import TikTok


@dataclass(frozen=True)
class Endpoints:
    """Where every platform is; without arguments, the real ones."""

    tiktok: TikTokEndpoints = field(default_factory=TikTokEndpoints)
    bluesky: BlueskyEndpoints = field(default_factory=BlueskyEndpoints)

    def allowed_hosts(self) -> dict[str, str]:
        """What `platforms.http.create_http_client` must be allowed to call, and nothing more; whose each host is."""
        bluesky = (self.bluesky.entryway, self.bluesky.directory, self.bluesky.appview)
        return {
            **dict.fromkeys((urlsplit(self.tiktok.api).netloc, *self.tiktok.upload_hosts), PlatformName.TIKTOK.value),
            **dict.fromkeys((urlsplit(base).netloc for base in bluesky), PlatformName.BLUESKY.value),
            **dict.fromkeys(self.bluesky.server_hosts, PlatformName.BLUESKY.value),
        }


def endpoints_for_base_urls(base_urls: Mapping[str, str]) -> Endpoints:
    """Point each named platform at one base address, as the sandbox offers; the others stay real."""
    endpoints = Endpoints()
    tiktok, bluesky = endpoints.tiktok, endpoints.bluesky
    if base := base_urls.get(PlatformName.TIKTOK, "").rstrip("/"):
        tiktok = TikTokEndpoints(web=base, api=base, upload_hosts=(urlsplit(base).netloc,))
    if base := base_urls.get(PlatformName.BLUESKY, "").rstrip("/"):
        hosts = (urlsplit(base).netloc,)
        bluesky = BlueskyEndpoints(entryway=base, directory=base, appview=base, web=base, server_hosts=hosts)
    return Endpoints(tiktok, bluesky)


SECRET_FACTS: Mapping[PlatformName, tuple[str, ...]] = {
    PlatformName.TIKTOK: TikTok.SECRET_FACTS,
    PlatformName.BLUESKY: Bluesky.SECRET_FACTS,
}
"""The journal facts of each platform that are credentials: whoever keeps the journal encrypts them."""


def create_platforms(endpoints: Endpoints) -> dict[PlatformName, Platform]:
    """One stateless client per platform."""
    return {
        PlatformName.TIKTOK: TikTok(endpoints.tiktok),
        PlatformName.BLUESKY: Bluesky(endpoints.bluesky),
    }
