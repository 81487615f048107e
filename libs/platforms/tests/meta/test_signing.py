"""Meta's three signatures against values that were computed elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from kit.secret import Secret
from platforms.meta.signing import (
    appsecret_proof,
    is_signed,
    is_signed_request,
    read_signed_request,
    verify_token,
)

SECRET = Secret("test_app_secret")
BODY = (
    rb'{"object":"page","entry":[{"id":"1","time":1520383571,"changes":[{"field":"feed","value":'
    rb'{"item":"status","verb":"add","message":"caf\u00e9"}}]}]}'
)
SIGNATURE = "sha256=a6f1145c8f024488feafdfb988258729984cfe9a77ee8e9fd6515cac3ed6783d"
SIGNED_REQUEST = (
    "9C3os-BVqHdGR8ArmepqNL8RgHPK_ApB7oJt2EtN234.eyJ1c2VyX2lkIjoiMjE4NDcxIiwiYWxnb3JpdGhtIjoiSE1BQy1TSEEyNTYiL"
    "CJpc3N1ZWRfYXQiOjEyOTE4MzY4MDAsImV4cGlyZXMiOjEyOTE4NDA0MDB9"
)


def signed(payload: object, by: str = "test_app_secret") -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=")
    mac = hmac.new(by.encode(), encoded, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode() + "." + encoded.decode()


def test_the_proof_of_a_token_is_the_known_one() -> None:
    proof = appsecret_proof(SECRET, Secret("EAATESTTOKEN"))
    assert proof == Secret("bad6df0b858104754a0ffde2f0c05fe9731f1a5e141ee1bccf316d05f28d5135")
    assert "bad6" not in repr(proof)


def test_the_known_body_is_accepted_and_only_byte_for_byte() -> None:
    assert is_signed(BODY, SIGNATURE, SECRET)
    assert is_signed(BODY, SIGNATURE.upper().replace("SHA256", "sha256"), SECRET)
    assert not is_signed(BODY.replace(rb"\u00e9", "é".encode()), SIGNATURE, SECRET)
    assert not is_signed(BODY, SIGNATURE, Secret("another"))


@pytest.mark.parametrize("header", ["", "sha256=", "sha1=" + SIGNATURE[7:], SIGNATURE[7:], SIGNATURE[:-1], "sha256=é"])
def test_another_header_is_refused(header: str) -> None:
    assert not is_signed(BODY, header, SECRET)


def test_the_known_signed_request_is_accepted_and_read() -> None:
    assert is_signed_request(SIGNED_REQUEST, SECRET)
    assert not is_signed_request(SIGNED_REQUEST, Secret("another"))
    read = read_signed_request(SIGNED_REQUEST)
    assert read is not None
    assert (read.user_id, read.issued_at) == ("218471", 1291836800)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "a.b",
        "é.é",
        SIGNED_REQUEST[:-2],
        "x" + SIGNED_REQUEST,
        signed({"algorithm": "none", "user_id": "1"}),
        signed({"user_id": "1"}),
        signed({"algorithm": "HMAC-SHA256"}),
        signed([]),
        signed({"algorithm": "HMAC-SHA256", "user_id": "1"}, "another"),
    ],
)
def test_another_signed_request_is_refused(value: str) -> None:
    assert not is_signed_request(value, SECRET)


def test_a_signed_request_may_name_the_person_by_a_number() -> None:
    value = signed({"algorithm": "hmac-sha256", "user_id": 10220000000000001, "expires": 1})
    assert is_signed_request(value, SECRET)
    read = read_signed_request(value)
    assert read is not None
    assert (str(read.user_id), read.issued) == ("10220000000000001", None)


def test_the_verify_token_is_made_of_the_secret_and_does_not_tell_it() -> None:
    token = verify_token(SECRET)
    assert token == verify_token(Secret("test_app_secret")) != verify_token(Secret("another"))
    assert len(token) == 32
    assert "test_app_secret" not in token
