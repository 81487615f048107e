"""Who may vouch for what: each service signs with its own Ed25519 key and trusts a published set.

The public halves of all services lie in one JWKS file (RFC 7517, RFC 8037). A key's `kid` is the service
it belongs to, so that a signature also says who made it. X25519 keys in the same set receive what is
sealed for one service (HPKE, RFC 9180).
"""

from __future__ import annotations

import base64
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kit.settings import SettingError

# Its newer name (RFC 9864) is not understood by most of those who are to check what we sign.
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class BadSignature(Exception):
    """The signature is not by the named signer over these bytes, or the signer is not trusted."""


class SigningKey:
    """One service's Ed25519 private key."""

    def __init__(self, service: str, private: Ed25519PrivateKey) -> None:
        self.service = service
        self.private = private

    @classmethod
    def load(cls, service: str, file: Path) -> SigningKey:
        private = _private_key(file)
        if not isinstance(private, Ed25519PrivateKey):
            raise SettingError(f"{file} holds no Ed25519 private key")
        return cls(service, private)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message` (RFC 8032)."""
        return self.private.sign(message)


class SealingKey:
    """One service's X25519 private key, which opens what was sealed for it."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def load(cls, file: Path) -> SealingKey:
        private = _private_key(file)
        if not isinstance(private, X25519PrivateKey):
            raise SettingError(f"{file} holds no X25519 private key")
        return cls(private)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Undo `TrustedKeys.seal` with the same context; raises `cryptography.exceptions.InvalidTag`."""
        return _SUITE.decrypt(sealed, self._private, context)


class TrustedKeys:
    """The public keys of all services."""

    def __init__(self, signing: Mapping[str, Ed25519PublicKey], sealing: Mapping[str, X25519PublicKey]) -> None:
        self._signing = signing
        self._sealing = sealing

    @classmethod
    def load(cls, file: Path) -> TrustedKeys:
        try:
            keys = json.loads(file.read_bytes())["keys"]
            signing = {
                key["kid"]: Ed25519PublicKey.from_public_bytes(_unbase64(key["x"]))
                for key in keys
                if key["crv"] == "Ed25519"
            }
            sealing = {
                key["kid"]: X25519PublicKey.from_public_bytes(_unbase64(key["x"]))
                for key in keys
                if key["crv"] == "X25519"
            }
        except (KeyError, TypeError, ValueError) as error:
            raise SettingError(f"{file} is not a JWKS of Ed25519 and X25519 keys") from error
        return cls(signing, sealing)

    def signing_key(self, service: str) -> Ed25519PublicKey:
        try:
            return self._signing[service]
        except KeyError:
            raise BadSignature(f"no trusted key of {service}") from None

    def verify(self, service: str, message: bytes, signature: bytes) -> None:
        """Return if `service` signed `message`; raise `BadSignature` otherwise."""
        try:
            self.signing_key(service).verify(signature, message)
        except InvalidSignature:
            raise BadSignature(f"not signed by {service}") from None

    def seal(self, service: str, message: bytes, *, context: bytes) -> bytes:
        """Encrypt for one service alone. `context` is not secret, but must be the same on opening."""
        try:
            recipient = self._sealing[service]
        except KeyError:
            raise BadSignature(f"no sealing key of {service}") from None
        return _SUITE.encrypt(message, recipient, context)

    def jwk(self, service: str) -> dict[str, str]:
        """The public signing key of a service, for those who verify what it signed."""
        return _jwk(service, "Ed25519", self.signing_key(service))


def generate_keys(folder: Path, services: Iterable[str]) -> None:
    """Make what is missing of the services' keys in `folder`, readable by the owner only.

    Files: `<service>.signing.pem`, `<service>.sealing.pem`, and `trusted.jwks.json` with every public half.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    public: list[dict[str, str]] = []
    for service in services:
        signing_file, sealing_file = folder / f"{service}.signing.pem", folder / f"{service}.sealing.pem"
        if not signing_file.exists():
            write_private(signing_file, _pem(Ed25519PrivateKey.generate()))
        if not sealing_file.exists():
            write_private(sealing_file, _pem(X25519PrivateKey.generate()))
        public.append(_jwk(service, "Ed25519", SigningKey.load(service, signing_file).private.public_key()))
        public.append(_jwk(service, "X25519", SealingKey.load(sealing_file)._private.public_key()))
    (folder / "trusted.jwks.json").write_text(json.dumps({"keys": public}, indent=1))


def write_private(file: Path, content: bytes) -> None:
    """Create a file that only its owner can read; it must not exist yet."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _private_key(file: Path) -> object:
    """The private key in a PEM file; None if there is none that we could read."""
    try:
        return load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _pem(private: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _jwk(service: str, curve: str, public: Ed25519PublicKey | X25519PublicKey) -> dict[str, str]:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    use = "sig" if curve == "Ed25519" else "enc"
    return {
        "kty": "OKP",
        "crv": curve,
        "kid": service,
        "use": use,
        "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
    }


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
