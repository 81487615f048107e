"""The files that hold services' keys: made once, and replaced one service at a time while everything runs.

A folder has `<service>.signing.pem`, `<service>.sealing.pem`, and `trusted.jwks.json` with every public half. Replacing
goes in three steps, each after the one before has reached every process: `announce` (the others know the new key),
`switch` (the service signs with it, the others seal for it), `finish` (what only the old one was good for is gone).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.keys import (
    KeySet,
    TrustedKey,
    kid_of,
    public_jwk,
    read_key_set,
    read_private,
    read_sealing_keys,
    write_private,
)
from kit.settings import SettingError

OLD_KEY_LIFETIME = timedelta(days=1)
"""How long tokens of a replaced key count: the longest-lived is a link of an hour, and a cluster may take its time to
hand out the new key."""

LASTING = frozenset({"content", "retention"})
"""Services whose signatures are kept: seals and certificates. Their old public keys stay in the set for good."""

TRUSTED = "trusted.jwks.json"


def generate_keys(folder: Path, services: Iterable[str]) -> None:
    """Make what is missing of the services' keys in `folder`, readable by the owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = _known(folder)
    signing = {key.kid: key for key in known.signing.values() if key.expires_at is not None}
    sealing: dict[str, X25519PublicKey] = {}
    for service in services:
        for file, make in (
            (_signing_file(folder, service), Ed25519PrivateKey.generate),
            (_sealing_file(folder, service), X25519PrivateKey.generate),
        ):
            if not file.exists():
                write_private(file, _pem(make()))
        for file in (_signing_file(folder, service), _next_file(folder, service)):
            if file.exists():
                key = _trusted(service, _read_signing(file))
                signing[key.kid] = key
        receiving = [private.public_key() for private in _read_sealing(folder, service)]
        present = known.sealing.get(service)
        sealing[service] = present if present in receiving and present is not None else receiving[0]
    _write_trusted(folder, KeySet(signing, sealing))


def announce(folder: Path, service: str) -> None:
    """Make the next keys of a service: everybody may trust the one, and it can open with the other."""
    present = _read_sealing(folder, service)
    if len(present) > 1 and not _next_file(folder, service).exists():
        raise SettingError(f"the keys of {service} are being replaced already: finish that first")
    if len(present) == 1:
        _replace(_sealing_file(folder, service), _pem(*present, X25519PrivateKey.generate()))
    if not _next_file(folder, service).exists():
        write_private(_next_file(folder, service), _pem(Ed25519PrivateKey.generate()))
    known = _known(folder)
    key = _trusted(service, _read_signing(_next_file(folder, service)))
    _write_trusted(folder, KeySet({**known.signing, key.kid: key}, known.sealing))


def switch(folder: Path, service: str, *, now: datetime) -> None:
    """Let the service sign with its next key and the others seal for it; the old key's tokens run out."""
    if not _next_file(folder, service).exists():
        raise SettingError(f"{service} has no next key: announce one first")
    known = _known(folder)
    old = _trusted(service, _read_signing(_signing_file(folder, service)))
    ending = TrustedKey(old.kid, service, old.public, (now + OLD_KEY_LIFETIME).timestamp())
    receiving = _read_sealing(folder, service)[-1].public_key()
    _write_trusted(folder, KeySet({**known.signing, old.kid: ending}, {**known.sealing, service: receiving}))
    os.replace(_next_file(folder, service), _signing_file(folder, service))


def finish(folder: Path, service: str, *, now: datetime) -> None:
    """Destroy the old sealing key, and leave out signing keys that nothing is checked with any more."""
    if _next_file(folder, service).exists():
        raise SettingError(f"{service} still signs with its old key: switch first")
    present = _read_sealing(folder, service)
    if len(present) > 1:
        _replace(_sealing_file(folder, service), _pem(present[-1]))
    known = _known(folder)
    kept = {
        key.kid: key
        for key in known.signing.values()
        if key.service in LASTING or key.expires_at is None or key.expires_at > now.timestamp()
    }
    _write_trusted(folder, KeySet(kept, known.sealing))


def distrust(folder: Path, kid: str) -> None:
    """Take a key out of the set, because somebody else may have it. What it signed is void, seals too."""
    known = _known(folder)
    if kid not in known.signing:
        raise SettingError(f"{kid} is not a trusted key")
    service = known.signing[kid].service
    if kid == _trusted(service, _read_signing(_signing_file(folder, service))).kid:
        raise SettingError(f"{service} signs with {kid} now: rotate it first")
    _write_trusted(folder, KeySet({k: key for k, key in known.signing.items() if k != kid}, known.sealing))


def _known(folder: Path) -> KeySet:
    file = folder / TRUSTED
    return read_key_set(file, file.read_bytes()) if file.exists() else KeySet({}, {})


def _trusted(service: str, private: Ed25519PrivateKey) -> TrustedKey:
    public = private.public_key()
    return TrustedKey(kid_of(service, public), service, public)


def _read_signing(file: Path) -> Ed25519PrivateKey:
    private = read_private(file.read_bytes())
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingError(f"{file} holds no Ed25519 private key")
    return private


def _read_sealing(folder: Path, service: str) -> tuple[X25519PrivateKey, ...]:
    file = _sealing_file(folder, service)
    return read_sealing_keys(file, file.read_bytes())


def _write_trusted(folder: Path, keys: KeySet) -> None:
    sealing = [public_jwk(service, public) for service, public in sorted(keys.sealing.items())]
    document = {"keys": [*(keys.signing[kid].published() for kid in sorted(keys.signing)), *sealing]}
    _replace(folder / TRUSTED, json.dumps(document, indent=1).encode(), mode=0o644)


def _replace(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put a new content in a file's place: who reads it gets the one or the other, whole."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    write_private(fresh, content)
    fresh.chmod(mode)
    os.replace(fresh, file)


def _pem(*keys: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return b"".join(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in keys)


def _signing_file(folder: Path, service: str) -> Path:
    return folder / f"{service}.signing.pem"


def _sealing_file(folder: Path, service: str) -> Path:
    return folder / f"{service}.sealing.pem"


def _next_file(folder: Path, service: str) -> Path:
    return folder / f"{service}.signing.next.pem"
