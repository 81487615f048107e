"""Key-encryption keys in a file: for development, and where there is no key service."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import structlog
from kit.settings import SettingError

from auth.adapters.vault import KEY_BYTES, NONCE_BYTES, decrypt, encrypt
from auth.domain.vault import Ciphertext, KeyUnusable, WrappedKey

log = structlog.get_logger("vault")

KEYS_MAX = 16
"""Keys in one file. Each rotation adds one, and the old one goes a week later."""


class KeyFile:
    """Implements `auth.ports.vault.KeyProvider`: the first key of the file wraps, every one unwraps.

    A file that was replaced is read again. One that cannot be read then leaves the keys as they were.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp = _stamp(file)
        self._keys = read_keys(file)

    async def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        self._look_again()
        key_id, current = next(iter(self._keys.items()))
        text = encrypt(current, key, context)
        return WrappedKey(text.nonce + text.ciphertext, key_id)

    async def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        self._look_again()
        key = self._keys.get(wrapped.key_id)
        if key is None:
            raise KeyUnusable(f"the key file has no key {wrapped.key_id}")
        text = Ciphertext(wrapped.wrapped_key[:NONCE_BYTES], wrapped.wrapped_key[NONCE_BYTES:])
        return decrypt(key, text, context)

    async def rewrap(self, wrapped: WrappedKey, *, context: bytes) -> WrappedKey:
        return await self.wrap(await self.unwrap(wrapped, context=context), context=context)

    def wrapped(self, key_id: str) -> bool:
        return ":" not in key_id

    async def aclose(self) -> None:
        """Nothing is open."""

    def _look_again(self) -> None:
        stamp = _stamp(self._file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = read_keys(self._file)
        except SettingError as error:
            log.error("key_file_not_read", reason=str(error))


def read_keys(file: Path) -> Mapping[str, bytes]:
    """The keys by their ids, the current one first. Raises `SettingError` unless the file is private and sound."""
    try:
        mode, lines = file.stat().st_mode, file.read_bytes().split()
    except OSError:
        raise SettingError(f"VAULT_KEY_FILE names {file}, which cannot be read") from None
    if stat.S_IMODE(mode) & stat.S_IRWXO:
        raise SettingError(f"VAULT_KEY_FILE names {file}, which everybody can read: make its mode 0600")
    if not 1 <= len(lines) <= KEYS_MAX:
        raise SettingError(f"VAULT_KEY_FILE names {file}, which must hold 1 to {KEYS_MAX} keys, one a line")
    try:
        keys = [base64.b64decode(line, validate=True) for line in lines]
    except binascii.Error:
        keys = [b""]
    if any(len(key) != KEY_BYTES for key in keys):
        raise SettingError(f"VAULT_KEY_FILE names {file}, in which each line must hold {KEY_BYTES} bytes in base64")
    return {_name(key): key for key in keys}


def add_key(file: Path) -> str:
    """Put a new key before those of a file, in one step; returns its id. Raises `SettingError` as `read_keys`."""
    if len(read_keys(file)) >= KEYS_MAX:
        raise SettingError(f"{file} holds {KEYS_MAX} keys: withdraw old ones first")
    key = os.urandom(KEY_BYTES)
    draft = file.with_name(f"{file.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IMODE(file.stat().st_mode))
    with os.fdopen(descriptor, "wb") as out:
        out.write(base64.b64encode(key) + b"\n" + file.read_bytes())
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    return _name(key)


def _name(key: bytes) -> str:
    """Names a key without giving it away."""
    return hashlib.sha256(b"key-encryption-key:" + key).hexdigest()[:16]


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
