"""`signoff certificate verify`: whether a proof of erasure is genuine, with public keys alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from kit import certificates
from kit.settings import SettingError

ISSUER = "retention"
"""The only service whose signature makes a certificate."""

TEXT_BYTES_MAX = 1024 * 1024
"""A certificate has a few kilobytes."""


def verify_certificate(file: str, *, keys: str | None, data: Path) -> int:
    """Print what a genuine certificate says; raises `SettingError` for every other."""
    jwks = _keys(keys) if keys else _own_keys(data)
    try:
        document = certificates.verify_certificate(_certificate(_read(file)), jwks)
    except certificates.CertificateInvalid as error:
        raise SettingError(f"{file} is no genuine certificate: {error}") from error
    print(json.dumps(document, indent=2, sort_keys=True))
    print(f"genuine: signed by {ISSUER}", file=sys.stderr)
    return 0


def _read(file: str) -> str:
    try:
        text = sys.stdin.read(TEXT_BYTES_MAX) if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{file} cannot be read: {_reason(error)}") from error
    return text.strip()


def _certificate(text: str) -> str:
    """The certificate itself, also out of an erasure as the API answers it."""
    if not text.startswith("{"):
        return text
    try:
        certificate = json.loads(text).get("certificate")
    except ValueError as error:
        raise SettingError("the file is neither a certificate nor JSON") from error
    if not isinstance(certificate, str):
        raise SettingError("the erasure has no certificate yet")
    return certificate


def _own_keys(data: Path) -> Mapping[str, Any]:
    trusted = data / "keys" / "trusted.jwks.json"
    if not trusted.is_file():
        raise SettingError(f"{data} holds no keys: name them with --keys")
    return _keys(str(trusted))


def _keys(place: str) -> Mapping[str, Any]:
    try:
        if place.startswith(("http://", "https://")):
            answer = httpx.get(place, timeout=10, follow_redirects=False)
            answer.raise_for_status()
            keys = answer.json()["keys"]
        else:
            keys = json.loads(Path(place).read_text())["keys"]
        # A set with the keys of other services must not let those sign certificates.
        return {"keys": [key for key in keys if key["kid"].partition("#")[0] == ISSUER]}
    except (OSError, httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(f"{place} gives no public keys: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
