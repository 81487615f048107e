"""Signed statements that outsiders can check: a JSON document as a compact JWS (RFC 7515, EdDSA by RFC 8037).

Whoever has the published keys of the issuer needs nothing else of us to verify one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import BadSignatureError, JoseError

from kit.keys import SigningKey

_ALGORITHMS = ["EdDSA", "Ed25519"]


class CertificateInvalid(Exception):
    """The text is no certificate by one of these keys: altered, cut short, or by somebody else."""


def sign_certificate(document: Mapping[str, Any], key: SigningKey) -> str:
    """The document, signed in the name of the key's service."""
    payload = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    header = {"alg": "EdDSA", "kid": key.present.kid}
    return jws.serialize_compact(header, payload, key.present.jwk, algorithms=_ALGORITHMS)


def verify_certificate(certificate: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The document that a key of the set signed; raises `CertificateInvalid` for whatever is wrong."""
    try:
        document = json.loads(_payload(certificate, [jwk.OKPKey.import_key(_public(key)) for key in jwks["keys"]]))
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CertificateInvalid("not signed by any of these keys") from error
    if not isinstance(document, dict):
        raise CertificateInvalid("the signed text is no document")
    return document


def _payload(certificate: str, keys: Sequence[jwk.OKPKey]) -> bytes:
    """What one of the keys signed. Each is tried: keys were once named otherwise than they are now."""
    for key in keys:
        try:
            return jws.deserialize_compact(certificate, key, algorithms=_ALGORITHMS).payload
        except BadSignatureError:
            continue
    raise ValueError("none of the keys")


def _public(key: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Only what a check needs, so that a set with fields of other makers is understood."""
    return {name: str(key[name]) for name in ("kty", "crv", "x")}
