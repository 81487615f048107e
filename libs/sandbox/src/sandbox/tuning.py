"""How the imitated platforms behave where the real ones leave room: times, caps, strictness."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tuning:
    """Read at every request, so a test can change it while the servers run. Times in seconds."""

    processing_seconds: float = 0.3
    """TikTok: from the last byte of its media to the publication of a post."""
    moderation_seconds: float = 0.2
    """TikTok: from publication until the public post id is told."""
    photos_listed: bool = True
    """TikTok: whether photo posts are among the videos it lists and counts; its pages do not say."""
    rate_limits: bool = True
    """Hold callers to the platforms' documented limits per minute and hour."""
    daily_posts_max: int = 15
    """TikTok: posts of one account within 24 hours."""
    nonce_seconds: float = 180.0
    """Bluesky: how long one DPoP nonce is the current one; the one before it is still accepted."""
    appview_lag_seconds: float = 0.0
    """Bluesky: how far the AppView is behind the account's own server."""
    webhook_url: str | None = None
    """TikTok, X, Meta: where events are sent, `{platform}` in it being the name; a client's own address wins."""
    webhook_attempts: int = 5
    webhook_copies: int = 1
    """TikTok: how often each event is delivered though it was answered, as at-least-once allows."""

    def webhook_url_of(self, platform: str) -> str | None:
        return self.webhook_url and self.webhook_url.replace("{platform}", platform)
