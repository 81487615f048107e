"""Who may vouch for what: each service signs with its own Ed25519 key and trusts a published set.

The public halves of all services lie in one JWKS file (RFC 7517, RFC 8037). A key's `kid` is the service it belongs to
and the beginning of its thumbprint (RFC 7638), `auth#Gk1x…`, so that a signature also says who made it and a service
can have several. X25519 keys in the same set receive what is sealed for one service (HPKE, RFC 9180). Every file is
read again when it changes; `kit.key_files` changes them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from joserfc import jwk

from kit.rereading import Reread
from kit.settings import SettingError

# Its newer name (RFC 9864) is not understood by most of those who are to check what we sign.
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

_THUMBPRINT_CHARACTERS = 16
"""96 bits. The name decides which key is tried, not whether it is trusted."""

_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----\s*", re.DOTALL)


VERIFIED_MAX = 20_000
"""Good signatures remembered, of some hundred bytes each: as many as posts are staged ahead on a busy day."""


class BadSignature(Exception):
    """The signature is not by the named signer over these bytes, or the signer is not trusted."""


@dataclass(frozen=True)
class PresentKey:
    """The key that a service signs with now, and its name."""

    kid: str
    private: Ed25519PrivateKey

    @cached_property
    def jwk(self) -> jwk.OKPKey:
        """The key as a signer of tokens takes it."""
        return jwk.OKPKey.import_key(self.private)


class SigningKey:
    """One service's Ed25519 private key, whichever its file holds at the moment."""

    def __init__(self, service: str, file: Path) -> None:
        self.service = service
        self._file = Reread(file, self._parse)

    @classmethod
    def load(cls, service: str, file: Path) -> SigningKey:
        return cls(service, file)

    @property
    def present(self) -> PresentKey:
        return self._file.value

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message` (RFC 8032)."""
        return self.present.private.sign(message)

    def _parse(self, file: Path, content: bytes) -> PresentKey:
        private = read_private(content)
        if not isinstance(private, Ed25519PrivateKey):
            raise SettingError(f"{file} holds no Ed25519 private key")
        return PresentKey(kid_of(self.service, private.public_key()), private)


class SealingKey:
    """One service's X25519 private keys, which open what was sealed for it. While one is replaced there are two."""

    def __init__(self, file: Path) -> None:
        self._file = Reread(file, read_sealing_keys)

    @classmethod
    def load(cls, file: Path) -> SealingKey:
        return cls(file)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Undo `TrustedKeys.seal` with the same context; raises `cryptography.exceptions.InvalidTag`."""
        for private in self._file.value:
            try:
                return _SUITE.decrypt(sealed, private, context)
            except InvalidTag:
                continue
        raise InvalidTag


@dataclass(frozen=True)
class TrustedKey:
    """A public key of a service. After `expires_at` (Unix seconds) no token of it counts.

    What it signed to last, seals and certificates, can still be checked with it as long as it is in the set.
    """

    kid: str
    service: str
    public: Ed25519PublicKey
    expires_at: float | None = None

    @cached_property
    def jwk(self) -> jwk.OKPKey:
        """The key as a verifier of tokens takes it."""
        return jwk.OKPKey.import_key(self.public)

    def published(self) -> dict[str, Any]:
        """As an entry of a JWKS. `exp` is understood as in OpenID Federation, section 8.7."""
        entry = public_jwk(self.service, self.public)
        return entry if self.expires_at is None else entry | {"exp": int(self.expires_at)}


@dataclass(frozen=True)
class KeySet:
    """What the file of trusted keys says: signing keys by kid, the newest sealing key by service."""

    signing: Mapping[str, TrustedKey]
    sealing: Mapping[str, X25519PublicKey]


class TrustedKeys:
    """The public keys of all services, as their file says at the moment."""

    def __init__(self, file: Path) -> None:
        self._file = Reread(file, read_key_set)
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._verified_with: KeySet | None = None

    @classmethod
    def load(cls, file: Path) -> TrustedKeys:
        return cls(file)

    def token_key(self, kid: str, *, now: datetime) -> TrustedKey:
        """The key of that name, for what was signed to be used at once. Raises `BadSignature`."""
        # A key that we do not know may have been added this very second.
        key = self._file.value.signing.get(kid) or self._file.look().signing.get(kid)
        if key is None or (key.expires_at is not None and key.expires_at <= now.timestamp()):
            raise BadSignature("no trusted key of this name")
        return key

    def verify(self, service: str, message: bytes, signature: bytes) -> None:
        """Return if `service` signed `message`, whenever it was; raise `BadSignature` otherwise.

        What was found good is remembered as long as the same keys are trusted: a seal is checked several times.
        """
        present = self._file.value
        keys = _of(present, service)
        if not keys:
            raise BadSignature(f"no trusted key of {service}")
        if present is not self._verified_with:
            self._verified.clear()
            self._verified_with = present
        name = hashlib.sha256(b"\0".join((service.encode(), signature, message))).digest()
        if name in self._verified:
            return
        if not any(_is_signed(key, message, signature) for key in keys):
            raise BadSignature(f"not signed by {service}")
        self._verified[name] = None
        if len(self._verified) > VERIFIED_MAX:
            self._verified.popitem(last=False)

    def seal(self, service: str, message: bytes, *, context: bytes) -> bytes:
        """Encrypt for one service alone. `context` is not secret, but must be the same on opening."""
        try:
            recipient = self._file.value.sealing[service]
        except KeyError:
            raise BadSignature(f"no sealing key of {service}") from None
        return _SUITE.encrypt(message, recipient, context)

    def lasting_jwks(self, service: str) -> dict[str, Any]:
        """The public keys of a service, old ones too, for outsiders who verify what it signed to last."""
        return {"keys": [public_jwk(service, key.public) for key in _of(self._file.value, service)]}

    def jwks(self) -> dict[str, Any]:
        """Every key that is trusted now."""
        present = self._file.value
        sealing = [public_jwk(service, public) for service, public in present.sealing.items()]
        return {"keys": [*(key.published() for key in present.signing.values()), *sealing]}


def _of(keys: KeySet, service: str) -> Sequence[TrustedKey]:
    return [key for key in keys.signing.values() if key.service == service]


def _is_signed(key: TrustedKey, message: bytes, signature: bytes) -> bool:
    try:
        key.public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def read_key_set(file: Path, content: bytes) -> KeySet:
    """Raises `SettingError` for a file that is no JWKS of ours."""
    signing: dict[str, TrustedKey] = {}
    sealing: dict[str, X25519PublicKey] = {}
    try:
        for entry in json.loads(content)["keys"]:
            service, raw = entry["kid"].partition("#")[0], _unbase64(entry["x"])
            if entry["crv"] == "Ed25519":
                public = Ed25519PublicKey.from_public_bytes(raw)
                # Named anew: a file of an earlier release names a key after its service alone.
                kid = kid_of(service, public)
                signing[kid] = TrustedKey(kid, service, public, entry.get("exp"))
            elif entry["crv"] == "X25519":
                sealing[service] = X25519PublicKey.from_public_bytes(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{file} is not a JWKS of Ed25519 and X25519 keys") from error
    return KeySet(signing, sealing)


def read_private(content: bytes) -> object:
    """The private key in a PEM text; None if there is none that we could read."""
    try:
        return load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def read_sealing_keys(file: Path, content: bytes) -> tuple[X25519PrivateKey, ...]:
    """Every key of a file, the oldest first. Raises `SettingError` unless each of them is one, and there is one."""
    keys = [read_private(found[0]) for found in _PEM.finditer(content)]
    known = tuple(key for key in keys if isinstance(key, X25519PrivateKey))
    if not keys or len(known) < len(keys):
        raise SettingError(f"{file} holds no X25519 private key")
    return known


def kid_of(service: str, public: Ed25519PublicKey | X25519PublicKey) -> str:
    """The name of a key."""
    members = {"crv": _curve(public), "kty": "OKP", "x": _base64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    return f"{service}#{_base64(digest)[:_THUMBPRINT_CHARACTERS]}"


def public_jwk(service: str, public: Ed25519PublicKey | X25519PublicKey) -> dict[str, str]:
    return {
        "kty": "OKP",
        "crv": _curve(public),
        "kid": kid_of(service, public),
        "use": "sig" if isinstance(public, Ed25519PublicKey) else "enc",
        "x": _base64(public.public_bytes(Encoding.Raw, PublicFormat.Raw)),
    }


def write_private(file: Path, content: bytes) -> None:
    """Create a file that only its owner can read; it must not exist yet."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _curve(public: Ed25519PublicKey | X25519PublicKey) -> str:
    return "Ed25519" if isinstance(public, Ed25519PublicKey) else "X25519"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
