"""Which domain passkeys are for, if for any."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from auth.ports.second_factors import Authenticators


def authenticators_at(public_url: str | None) -> Callable[[], Authenticators] | None:
    """For the domain of PUBLIC_URL; None where there is none: for a bare address browsers have no passkeys."""
    parts = urlsplit(public_url or "")
    host = parts.hostname
    if host is None or _is_address(host):
        return None

    @cache
    def load() -> Authenticators:
        from auth.adapters.webauthn import WebAuthn  # noqa: PLC0415  # 7 MB that most processes never need

        return WebAuthn(host, f"{parts.scheme}://{parts.netloc.lower()}")

    return load


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
