"""TikTok's webhook signature."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from kit.secret import Secret
from platforms.registry import register
from platforms.shape import ClientCredentials, PlatformName
from platforms.tiktok.webhooks import is_fresh

BODY = (
    b'{"client_key":"aw_test_key","event":"authorization.removed","create_time":1615338610,'
    b'"user_openid":"open-1","content":"{\\"reason\\":1}"}'
)
SECRET = "test_client_secret"
SIGNATURE = "t=1633174587,s=9b3a040019a40a41d8416618edd8c99a8ba685f0977ad5d04cb67dac6ebee1d6"


def verify(header: str, body: bytes = BODY, client_secret: str = SECRET) -> bool:
    client = ClientCredentials("aw_test_key", Secret(client_secret), "https://example.com/callback")
    return register().platforms[PlatformName.TIKTOK].verify_webhook({"Tiktok-Signature": header}, body, client)


def test_the_known_signature_is_accepted() -> None:
    assert verify(SIGNATURE)


@pytest.mark.parametrize(
    "header", ["", "t=1,s=", "s=abc", "t=x,s=abc", SIGNATURE.replace("t=1", "t=2"), SIGNATURE[:-1] + "0", "t=²,s=é"]
)
def test_anything_else_is_not(header: str) -> None:
    assert not verify(header)


def test_a_changed_body_or_another_secret_is_not() -> None:
    assert not verify(SIGNATURE, BODY + b" ")
    assert not verify(SIGNATURE, client_secret="another")


def test_freshness_is_five_minutes_and_apart_from_the_signature() -> None:
    headers = {"tiktok-signature": SIGNATURE}
    signed_at = 1633174587
    assert is_fresh(headers, now=datetime.fromtimestamp(signed_at + 300, UTC))
    assert not is_fresh(headers, now=datetime.fromtimestamp(signed_at + 301, UTC))
