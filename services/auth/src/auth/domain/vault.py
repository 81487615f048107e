"""Envelope encryption: a grant is sealed with a key of its connection, and that key with the key-encryption key.

What a ciphertext belongs to is bound to it as associated data, so that none opens in another one's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it may be stored. `key_id` names the key-encryption key."""

    wrapped_key: bytes
    key_id: str


@dataclass(frozen=True)
class Ciphertext:
    """AES-256-GCM: a nonce of 96 bits, the ciphertext and its tag."""

    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class SealedGrant:
    """A grant as it is stored, with the key that opens it."""

    connection_id: UUID
    generation: int
    nonce: bytes
    ciphertext: bytes
    wrapped_key: bytes
    key_id: str

    @classmethod
    def of(cls, connection_id: UUID, generation: int, key: WrappedKey, text: Ciphertext) -> SealedGrant:
        return cls(connection_id, generation, text.nonce, text.ciphertext, key.wrapped_key, key.key_id)

    @property
    def key(self) -> WrappedKey:
        return WrappedKey(self.wrapped_key, self.key_id)

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
