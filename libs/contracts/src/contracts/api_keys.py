"""What an API key looks like, so that a typo or a key in the wrong place is recognised without asking anybody.

`so_<prefix>_<secret><checksum>`: letters and digits of ASCII, the checksum a CRC-32 of everything before it. Scanners
of source code find keys by `PATTERN` and tell by the checksum that it is one.
"""

from __future__ import annotations

import re
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase

PREFIX_CHARACTERS = 8
"""What a list shows of a key. Distinct within a workspace in practice; nothing is decided by it."""

SECRET_CHARACTERS = 43
"""256 bits: guessing is hopeless."""

CHECKSUM_CHARACTERS = 6
"""Enough digits of base 62 for 32 bits."""

PATTERN = rf"so_[0-9A-Za-z]{{{PREFIX_CHARACTERS}}}_[0-9A-Za-z]{{{SECRET_CHARACTERS + CHECKSUM_CHARACTERS}}}"

KEY_CHARACTERS = len("so__") + PREFIX_CHARACTERS + SECRET_CHARACTERS + CHECKSUM_CHARACTERS


def compose(prefix: str, secret: str) -> str:
    """The key of two random words."""
    body = f"so_{prefix}_{secret}"
    return body + _checksum(body)


def is_well_formed(text: str) -> bool:
    """Whether the text is a key that somebody may have made: of the right shape, and without a slip."""
    if not re.fullmatch(PATTERN, text, re.ASCII):
        return False
    return _checksum(text[:-CHECKSUM_CHARACTERS]) == text[-CHECKSUM_CHARACTERS:]


def _checksum(body: str) -> str:
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
