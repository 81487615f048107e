"""The webhooks of the platforms this installation offers, checked with our credentials."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from platforms.environment import OfferedPlatforms
from platforms.platform import Platform
from platforms.shape import ClientCredentials, Notice, PlatformName

from auth.domain.notices import NoticeRefused


class PlatformHooks:
    """Implements `auth.ports.notices.Hooks`."""

    def __init__(self, offered: OfferedPlatforms) -> None:
        self._offered = offered

    def read(self, name: PlatformName, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        platform, client = self._find(name)
        if not platform.verify_webhook(headers, body, client):
            raise NoticeRefused()
        return platform.read_webhook(headers, body)

    def answer_challenge(self, name: PlatformName, query: Mapping[str, str]) -> str:
        platform, client = self._find(name)
        answer = platform.answer_challenge(query, client)
        if answer is None:
            raise NoticeRefused()
        return answer

    def digest(self, name: PlatformName, text: str) -> bytes:
        """With the secret that also signs: whoever replaces it cannot be sent anything signed before."""
        _, client = self._find(name)
        secret = client.client_secret or client.webhook_secret
        if secret is None:
            raise NoticeRefused()
        return hmac.new(secret.reveal().encode(), f"signoff notice:{name}:{text}".encode(), hashlib.sha256).digest()

    def _find(self, name: PlatformName) -> tuple[Platform, ClientCredentials]:
        platform, client = self._offered.platforms.get(name), self._offered.credentials.get(name)
        if platform is None or client is None:
            raise NoticeRefused()
        return platform, client
