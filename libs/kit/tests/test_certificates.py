"""A certificate is believed only as it was signed, by who is in the key set."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kit.certificates import CertificateInvalid, sign_certificate, verify_certificate
from kit.keys import SigningKey

DOCUMENT = {"final": True, "tasks": [{"service": "auth", "remaining": {"grant": 0}}]}


def key(service: str = "retention") -> SigningKey:
    return SigningKey(service, Ed25519PrivateKey.generate())


def jwks(*keys: SigningKey) -> dict[str, list[dict[str, str]]]:
    return {
        "keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": k.service, "x": _base64(_raw(k))} for k in keys]
    }


def _raw(key: SigningKey) -> bytes:
    return key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_certificate_says_what_was_signed():
    own = key()
    assert verify_certificate(sign_certificate(DOCUMENT, own), jwks(key("auth"), own)) == DOCUMENT


def test_an_altered_certificate_is_refused():
    own = key()
    header, _, signature = sign_certificate(DOCUMENT, own).split(".")
    forged = _base64(json.dumps(DOCUMENT | {"final": False}).encode())
    with pytest.raises(CertificateInvalid):
        verify_certificate(f"{header}.{forged}.{signature}", jwks(own))


def test_nobody_signs_in_anothers_name():
    with pytest.raises(CertificateInvalid):
        verify_certificate(sign_certificate(DOCUMENT, key()), jwks(key()))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "…", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_certificate_is_refused(text: str):
    with pytest.raises(CertificateInvalid):
        verify_certificate(text, jwks(key()))


@pytest.mark.parametrize("keys", [{}, {"keys": [{}]}, {"keys": None}, {"keys": []}])
def test_a_key_set_that_is_none_trusts_nobody(keys: dict[str, object]):
    with pytest.raises(CertificateInvalid):
        verify_certificate(sign_certificate(DOCUMENT, key()), keys)
