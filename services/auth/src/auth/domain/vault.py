"""Envelope encryption: a grant is sealed with a key of its connection, and that key with the key-encryption key.

What a ciphertext belongs to is bound to it as associated data, so that none opens in another one's place. Data keys lie
in a store of their own, so that destroying one makes every copy of its ciphertext unreadable, backups included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kit.problems import Unavailable

ORPHAN_AFTER = timedelta(hours=1)
"""A key that no grant names after this belongs to a connecting that did not finish, which takes seconds."""

ORPHANS_MAX = 100
"""If more keys than this, and more than half of all, are named by no grant, then it is the grants that are missing."""

KEYS_BACKED_UP = timedelta(days=7)
"""How long a backup holds a key, at the most: retention destroys it before."""


class VaultUnavailable(Unavailable):
    """No key can be unwrapped now. Nothing is wrong with the stored keys: asking again later is right.

    `reason` is for operators, and not in the answer that people get.
    """

    code = "vault-unavailable"
    title = "Stored tokens cannot be opened right now"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class VaultUnreachable(VaultUnavailable):
    """The key service does not answer, or not as it should."""


class VaultSealed(VaultUnavailable):
    """The key service runs and gives nothing away until operators unseal it."""


class VaultDenied(VaultUnavailable):
    """The key service does not let us in, or not to this key."""


class KeyUnusable(VaultUnavailable):
    """The key service has no such key-encryption key for us any more: withdrawn, disabled, never given to us."""


class NotOpened(Exception):
    """A ciphertext that will never open: `key_lost` if its key is gone, `unreadable` if they do not belong together."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


KEY_LOST, UNREADABLE = "key_lost", "unreadable"


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it may be stored. `key_id` names the key-encryption key."""

    wrapped_key: bytes
    key_id: str


@dataclass(frozen=True)
class DataKey:
    """A data key in the store of keys, and the connection it is for."""

    data_key_id: UUID
    connection_id: UUID
    workspace_id: UUID
    wrapped_key: bytes
    key_id: str

    @property
    def wrapped(self) -> WrappedKey:
        return WrappedKey(self.wrapped_key, self.key_id)


@dataclass(frozen=True)
class Ciphertext:
    """AES-256-GCM: a nonce of 96 bits, the ciphertext and its tag."""

    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class SealedGrant:
    """A grant as it is stored, with the name of the key that opens it."""

    connection_id: UUID
    generation: int
    data_key_id: UUID
    nonce: bytes
    ciphertext: bytes

    @property
    def text(self) -> Ciphertext:
        return Ciphertext(self.nonce, self.ciphertext)


def key_context(owner: UUID | bytes) -> bytes:
    """Binds a data key to a connection, or to the hashed state of an authorisation."""
    return f"data-key:{_spelt(owner)}".encode()


def grant_context(connection_id: UUID, generation: int) -> bytes:
    """Binds a grant to its connection and generation: an older one does not open in place of a newer."""
    return f"grant:{connection_id}:{generation}".encode()


def authorisation_context(state_hash: bytes) -> bytes:
    return f"authorisation:{state_hash.hex()}".encode()


def choice_context(authorisation_hash: bytes) -> bytes:
    """Binds a grant to the authorisation whose accounts are being chosen from."""
    return f"choice:{authorisation_hash.hex()}".encode()


def _spelt(owner: UUID | bytes) -> str:
    return owner.hex() if isinstance(owner, bytes) else str(owner)
