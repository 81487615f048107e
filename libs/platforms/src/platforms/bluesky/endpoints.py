"""Where Bluesky's shared services are. An account's own server is found from its identity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BlueskyEndpoints:
    """Base addresses without a trailing slash, and the personal data servers we speak to.

    Self-hosted servers are added to `server_hosts` by an operator; a server found by identity but not
    listed is refused by the HTTP client.
    """

    entryway: str = "https://bsky.social"
    directory: str = "https://plc.directory"
    appview: str = "https://public.api.bsky.app"
    video: str = "https://video.bsky.app"
    web: str = "https://bsky.app"
    server_hosts: tuple[str, ...] = ("bsky.social", "*.host.bsky.network")
