"""The three signatures that every Meta product uses, each an HMAC-SHA256 keyed with the product's own secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec
from kit.secret import Secret

BODY_HEADER = "x-hub-signature-256"
_VERIFY_PURPOSE = b"signoff webhook verify token"


class SignedRequest(msgspec.Struct, frozen=True):
    """Whom a callback is about: the person's id as this product knows them, never a page or account of theirs."""

    algorithm: str
    user_id: str | int
    issued_at: int | None = None

    @property
    def issued(self) -> datetime | None:
        return None if self.issued_at is None else datetime.fromtimestamp(self.issued_at, UTC)


def appsecret_proof(secret: Secret, token: Secret) -> Secret:
    """Proof that a caller who has the token has our secret too. It is another one for each token."""
    return Secret(_mac(secret, token.reveal().encode()).hex())


def is_signed(body: bytes, header: str, secret: Secret) -> bool:
    """True if `X-Hub-Signature-256` is that of the raw body. Written anew, the same JSON has another signature."""
    scheme, _, signature = header.strip().partition("=")
    if scheme != "sha256":
        return False
    return hmac.compare_digest(_mac(secret, body).hex().encode(), signature.lower().encode())


def is_signed_request(value: str, secret: Secret) -> bool:
    """True if a `signed_request` is Meta's for this product."""
    encoded, _, payload = value.partition(".")
    try:
        signature = _decoded(encoded)
    except ValueError:
        return False
    signed = hmac.compare_digest(_mac(secret, payload.encode()), signature)
    return signed and read_signed_request(value) is not None


def read_signed_request(value: str) -> SignedRequest | None:
    """What a `signed_request` says, whoever signed it; None if it has another form or algorithm."""
    try:
        read = msgspec.json.decode(_decoded(value.partition(".")[2]), type=SignedRequest, strict=False)
    except (ValueError, msgspec.DecodeError):
        return None
    return read if read.algorithm.upper() == "HMAC-SHA256" else None


def verify_token(secret: Secret) -> str:
    """What an operator enters as the webhook's verify token: made of the secret, so that nothing more is kept."""
    return _mac(secret, _VERIFY_PURPOSE).hex()[:32]


def _mac(secret: Secret, message: bytes) -> bytes:
    return hmac.new(secret.reveal().encode(), message, hashlib.sha256).digest()


def _decoded(text: str) -> bytes:
    """base64url without padding."""
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
