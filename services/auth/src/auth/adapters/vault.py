"""AES-256-GCM envelopes (NIST SP 800-38D), and the key-encryption key in a file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from kit.settings import SettingError

from auth.domain.vault import Ciphertext, WrappedKey
from auth.ports.vault import KeyProvider

KEY_BYTES = 32
NONCE_BYTES = 12
"""Random: with 96 bits and the few seals of one data key a repetition is out of the question."""


class EnvelopeVault:
    """Implements `auth.ports.vault.Vault`."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider

    async def new_key(self, *, context: bytes) -> WrappedKey:
        wrapped = await self._provider.wrap(os.urandom(KEY_BYTES), context=context)
        return WrappedKey(wrapped, self._provider.key_id)

    async def seal(self, plain: bytes, key: WrappedKey, *, key_context: bytes, context: bytes) -> Ciphertext:
        data_key = await self._provider.unwrap(key.wrapped_key, key_id=key.key_id, context=key_context)
        return _encrypt(data_key, plain, context)

    async def open(self, text: Ciphertext, key: WrappedKey, *, key_context: bytes, context: bytes) -> bytes:
        data_key = await self._provider.unwrap(key.wrapped_key, key_id=key.key_id, context=key_context)
        return AESGCM(data_key).decrypt(text.nonce, text.ciphertext, context)


class KeyFile:
    """Implements `auth.ports.vault.KeyProvider` with a key that lies in a file."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._key_id = hashlib.sha256(b"key-encryption-key:" + key).hexdigest()[:16]

    @classmethod
    def load(cls, file: Path) -> KeyFile:
        """Raises `SettingError` unless the file is private and holds 32 bytes in base64."""
        try:
            mode, text = file.stat().st_mode, file.read_bytes()
        except OSError:
            raise SettingError(f"VAULT_KEY_FILE names {file}, which cannot be read") from None
        if stat.S_IMODE(mode) & stat.S_IRWXO:
            raise SettingError(f"VAULT_KEY_FILE names {file}, which everybody can read: make its mode 0600")
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise SettingError(f"VAULT_KEY_FILE names {file}, which must hold {KEY_BYTES} bytes in base64")
        return cls(key)

    @property
    def key_id(self) -> str:
        """Names the key without giving it away."""
        return self._key_id

    async def wrap(self, key: bytes, *, context: bytes) -> bytes:
        text = _encrypt(self._key, key, context)
        return text.nonce + text.ciphertext

    async def unwrap(self, wrapped: bytes, *, key_id: str, context: bytes) -> bytes:
        if key_id != self._key_id:
            raise InvalidTag
        return AESGCM(self._key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)


def _encrypt(key: bytes, plain: bytes, context: bytes) -> Ciphertext:
    nonce = os.urandom(NONCE_BYTES)
    return Ciphertext(nonce, AESGCM(key).encrypt(nonce, plain, context))
