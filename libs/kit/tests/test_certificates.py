"""A certificate is believed only as it was signed, by who is in the key set."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.certificates import CertificateInvalid, sign_certificate, verify_certificate
from kit.ids import new_id
from kit.key_files import generate_keys
from kit.keys import SigningKey, public_jwk

DOCUMENT = {"final": True, "tasks": [{"service": "auth", "remaining": {"grant": 0}}]}

NewKey = Callable[..., SigningKey]


@pytest.fixture
def key(tmp_path: Path) -> NewKey:
    """Makes a new key of a service."""

    def make(service: str = "retention") -> SigningKey:
        folder = tmp_path / new_id().hex
        generate_keys(folder, [service])
        return SigningKey.load(service, folder / f"{service}.signing.pem")

    return make


def jwks(*keys: SigningKey) -> dict[str, list[dict[str, Any]]]:
    return {"keys": [public_jwk(k.service, k.present.private.public_key()) for k in keys]}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_certificate_says_what_was_signed(key: NewKey):
    own = key()
    assert verify_certificate(sign_certificate(DOCUMENT, own), jwks(key("auth"), own)) == DOCUMENT


def test_a_key_checks_a_certificate_under_whatever_name_it_is_published(key: NewKey):
    own = key()
    published = jwks(own)["keys"][0] | {"kid": "retention"}
    assert verify_certificate(sign_certificate(DOCUMENT, own), {"keys": [published]}) == DOCUMENT


def test_an_altered_certificate_is_refused(key: NewKey):
    own = key()
    header, _, signature = sign_certificate(DOCUMENT, own).split(".")
    forged = _base64(json.dumps(DOCUMENT | {"final": False}).encode())
    with pytest.raises(CertificateInvalid):
        verify_certificate(f"{header}.{forged}.{signature}", jwks(own))


def test_nobody_signs_in_anothers_name(key: NewKey):
    with pytest.raises(CertificateInvalid):
        verify_certificate(sign_certificate(DOCUMENT, key()), jwks(key()))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "…", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_certificate_is_refused(key: NewKey, text: str):
    with pytest.raises(CertificateInvalid):
        verify_certificate(text, jwks(key()))


@pytest.mark.parametrize("keys", [{}, {"keys": [{}]}, {"keys": None}, {"keys": []}])
def test_a_key_set_that_is_none_trusts_nobody(key: NewKey, keys: dict[str, object]):
    with pytest.raises(CertificateInvalid):
        verify_certificate(sign_certificate(DOCUMENT, key()), keys)
