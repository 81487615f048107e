"""Keyed hashes: what is counted can be found again, but not be read from the database."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

_LABEL = b"signoff: what attempts are counted under"


class KeyedHash:
    """Implements `auth.ports.sign_in.Hide` (HMAC, RFC 2104).

    The key is drawn from the service's signing key, whose signatures (RFC 8032) are the same each time, and this one is
    shown to nobody. A new signing key only means that counting begins anew.
    """

    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        self._key = hashlib.sha256(sign(_LABEL)).digest()

    def __call__(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), "sha256")
