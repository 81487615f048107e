"""The peppers under which API keys are hashed, from a file that is read again when it changes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

from kit.rereading import Reread
from kit.secret import Secret
from kit.settings import SettingError

from auth.domain.api_keys import KeyHash

PEPPER_BYTES = 32

PEPPERS_MAX = 3
"""Each costs a hash at every use of a key. One that keys were not used with for their lifetime can go."""


class Peppers:
    """Implements `auth.ports.api_keys.KeyHashes`: HMAC-SHA256.

    The file has one pepper a line in base64, the newest first. A new one is put before the others; a key's hash moves
    to it when the key is used.
    """

    def __init__(self, file: Path) -> None:
        self._file = Reread(file, _read)

    def all_of(self, key: Secret) -> tuple[KeyHash, ...]:
        message = key.reveal().encode()
        return tuple(
            KeyHash(pepper_id, hmac.digest(pepper, message, "sha256")) for pepper_id, pepper in self._file.value
        )


def _read(file: Path, content: bytes) -> tuple[tuple[str, bytes], ...]:
    """Each pepper with its name, which gives nothing of it away."""
    try:
        peppers = [base64.b64decode(line, validate=True) for line in content.split()]
    except ValueError:
        peppers = []
    if not 0 < len(peppers) <= PEPPERS_MAX or any(len(pepper) != PEPPER_BYTES for pepper in peppers):
        raise SettingError(f"{file} must hold 1 to {PEPPERS_MAX} lines of {PEPPER_BYTES} bytes each in base64")
    return tuple((hashlib.sha256(b"signoff pepper " + pepper).hexdigest()[:12], pepper) for pepper in peppers)
