"""Which passwords are good enough (after NIST SP 800-63B): long, and nothing that is guessed early.

No rules about kinds of characters: they make passwords harder to remember, not harder to guess. What is guessed early
is known from lists of leaked passwords, names and words, which `zxcvbn` brings.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kit.secret import Secret

LENGTH_MIN = 12
"""Below it a stolen hash can be guessed with affordable hardware."""

LENGTH_MAX = 1024
"""Hashing reads every character; nobody types more."""

RATED_LENGTH = 32
"""Rating costs the cube of the length: 28 ms at worst for these, 240 ms for 72. What follows only makes it better."""

GUESSES_MIN = 10**10
"""Below it an offline attack on a slow hash is a matter of days."""

_WORD_LENGTH_MIN = 3
_WORDS = re.compile(r"[^\W_]+")
_LOOKALIKES = str.maketrans("013457@$", "oleastas")
_RATING = threading.Lock()
"""zxcvbn keeps the words about a person in a variable of its module."""


@dataclass(frozen=True)
class AboutPerson:
    """What others know about a person, and so will try first."""

    email: str
    full_name: str | None = None
    company: str | None = None

    def words(self) -> list[str]:
        """The longest first."""
        local_part, _, host = self.email.partition("@")
        texts = (local_part, host.rpartition(".")[0], self.full_name or "", self.company or "", "signoff")
        parts = {part for text in texts for part in _WORDS.findall(text.lower())} | {local_part.lower()}
        return sorted((part for part in parts if len(part) >= _WORD_LENGTH_MIN), key=len, reverse=True)


def normalised(password: Secret) -> Secret:
    """The same characters, however a keyboard has composed them (Unicode NFC, as SP 800-63B asks)."""
    return Secret(unicodedata.normalize("NFC", password.reveal()))


def weakness(password: Secret, about: AboutPerson) -> str | None:
    """Why a password is refused, or None. Takes up to 30 ms of computing."""
    text, words = normalised(password).reveal(), about.words()
    if len(text) < LENGTH_MIN:
        return f"A password has at least {LENGTH_MIN} characters."
    if len(text) > LENGTH_MAX:
        return f"A password has at most {LENGTH_MAX} characters."
    if _guesses(text, words) < GUESSES_MIN:
        return "This password is too easy to guess: it is known, or made of what is tried first."
    plain = text.lower().translate(_LOOKALIKES)
    rest = _without(plain, words)
    if rest != plain and _guesses(rest, words) < GUESSES_MIN:
        return "This password is too easy to guess: it is made of your address, name or company."
    return None


def _without(text: str, words: Iterable[str]) -> str:
    for word in words:
        text = text.replace(word, "")
    return text


def _guesses(text: str, words: list[str]) -> int:
    """How many tries a good guesser needs."""
    if not text:
        return 0
    from zxcvbn import zxcvbn  # noqa: PLC0415  # its lists take 12 MB, which a service that idles need not have

    with _RATING:
        return int(zxcvbn(text[:RATED_LENGTH], user_inputs=words)["guesses"])
