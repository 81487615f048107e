"""What is stored of API keys, and what makes hashes of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from kit.secret import Secret

from auth.domain.api_keys import ApiKey, KeyHash, KeyHolder


class ApiKeys(Protocol):
    """Keys and the hashes of their secrets."""

    async def hold_workspace(self, workspace_id: UUID) -> bool:
        """Whether the workspace is open; nobody else makes a key in it until the transaction ends."""

    async def count_active(self, workspace_id: UUID, *, at: datetime) -> int: ...

    async def add(self, workspace_id: UUID, key: ApiKey) -> None: ...

    async def add_secret(self, workspace_id: UUID, key_id: UUID, secret: KeyHash, *, expires_at: datetime) -> None: ...

    async def of_workspace(self, workspace_id: UUID) -> Sequence[ApiKey]: ...

    async def locked(self, workspace_id: UUID, key_id: UUID) -> ApiKey | None: ...

    async def end_secrets(self, workspace_id: UUID, key: ApiKey, *, at: datetime) -> None:
        """Let the key's present secret end, at the given time if not before, and those before it at once."""

    async def replace(self, workspace_id: UUID, key_id: UUID, *, prefix: str, expires_at: datetime) -> None: ...

    async def revoke(self, workspace_id: UUID, key_id: UUID, *, at: datetime) -> None:
        """Mark the key and destroy what its secrets are checked against."""

    async def holder_of(self, hashes: Sequence[KeyHash]) -> KeyHolder | None:
        """Whoever has a secret with one of these hashes; nobody if the key, the membership or the account is gone."""

    async def note_use(self, holder: KeyHolder, newest: KeyHash, *, at: datetime) -> None:
        """Write the last use, and the hash under the newest pepper."""

    async def forget(self, *, at: datetime) -> None:
        """Delete keys that ended long ago, and secrets that are over."""


class KeyHashes(Protocol):
    """HMAC under a pepper that is not in the database; while one is replaced, under each of them."""

    def all_of(self, key: Secret) -> Sequence[KeyHash]:
        """The newest pepper's first."""
