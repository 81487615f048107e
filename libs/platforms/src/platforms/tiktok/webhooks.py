"""TikTok's webhook signature: HMAC-SHA256 over time and raw body, keyed with the client secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from kit.secret import Secret

from platforms.tiktok.limits import WEBHOOK_AGE_SECONDS_MAX

HEADER = "tiktok-signature"


def verify(headers: Mapping[str, str], body: bytes, secret: Secret) -> bool:
    """True if the body is TikTok's, whatever its age.

    A redelivery comes up to 72 hours later and may carry its first time, so age alone never refuses a
    body here; a receiver drops repetitions by (event, account, publish id, time) instead, and may ask
    `is_fresh` for what it does besides.
    """
    parts = _parts(headers)
    if parts is None:
        return False
    signed_at, signature = parts
    expected = hmac.new(secret.reveal().encode(), signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def is_fresh(headers: Mapping[str, str], *, now: datetime) -> bool:
    """True if the body was signed within five minutes of `now`."""
    parts = _parts(headers)
    if parts is None:
        return False
    age = now - datetime.fromtimestamp(int(parts[0]), UTC)
    return abs(age) <= timedelta(seconds=WEBHOOK_AGE_SECONDS_MAX)


def _parts(headers: Mapping[str, str]) -> tuple[str, str] | None:
    value = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    fields = dict(part.split("=", 1) for part in value.replace(" ", "").split(",") if "=" in part)
    signed_at, signature = fields.get("t", ""), fields.get("s", "")
    well_formed = signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 11 and signature
    return (signed_at, signature) if well_formed else None
