"""Which platforms there are. Adding one is a folder and its line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from platforms.access import Access
from platforms.bluesky.platform import BLUESKY
from platforms.entry import Entry
from platforms.facebook.platform import FACEBOOK
from platforms.instagram.platform import INSTAGRAM
from platforms.linkedin.platform import LINKEDIN
from platforms.pinterest.platform import PINTEREST
from platforms.platform import Platform
from platforms.shape import PlatformName
from platforms.threads.platform import THREADS
from platforms.tiktok.platform import TIKTOK
from platforms.x.platform import X
from platforms.youtube.platform import YOUTUBE

ENTRIES: tuple[Entry, ...] = (
    TIKTOK,
    INSTAGRAM,
    FACEBOOK,
    THREADS,
    X,
    LINKEDIN,
    YOUTUBE,
    BLUESKY,
    PINTEREST,
)

ACCESS: Mapping[PlatformName, Access] = MappingProxyType({entry.name: entry.access for entry in ENTRIES})
"""Known of every platform, also of one that an installation does not offer (any more)."""

POST_HOSTS: Mapping[str, tuple[str, ...]] = MappingProxyType({entry.name: entry.post_hosts for entry in ENTRIES})
"""Where people see posts of each platform."""


@dataclass(frozen=True)
class Registered:
    """One stateless client per platform, and what `platforms.http.create_http_client` may call: whose each host is."""

    platforms: Mapping[PlatformName, Platform]
    allowed_hosts: Mapping[str, str]


def register(base_urls: Mapping[str, str] | None = None) -> Registered:
    """Every platform: at its base address if one is named for it, as the sandbox offers, else at its real ones."""
    places = {entry.name: entry.place((base_urls or {}).get(entry.name, "").rstrip("/") or None) for entry in ENTRIES}
    hosts = {host: name.value for name, placed in places.items() for host in placed.hosts}
    return Registered({name: placed.platform for name, placed in places.items()}, hosts)
