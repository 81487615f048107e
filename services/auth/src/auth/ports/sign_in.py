"""What is stored of sessions, of attempts to guess, and of what was done with the keys to an account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.domain.attempts import Counter
from auth.domain.clients import Client
from auth.domain.security import Familiarity, SecurityEvent, SecurityKind
from auth.domain.sessions import Holder, OwnSession, Proof, Session


class Hide(Protocol):
    """A keyed hash."""

    def __call__(self, text: str) -> bytes: ...


class Sessions(Protocol):
    """Signed-in browsers."""

    async def add(
        self, session: Session, token_hash: bytes, *, client: Client, strong: bool, at: datetime, at_most: int
    ) -> bool:
        """False if the account was deleted meanwhile. Of more than `at_most` the oldest end."""

    async def holder_of(self, token_hash: bytes, workspace_id: UUID | None) -> Holder | None: ...

    async def of_account(self, account_id: UUID) -> Sequence[OwnSession]:
        """The latest used first."""

    async def proof(self, session_id: UUID) -> Proof | None: ...

    async def renew(self, session_id: UUID, token_hash: bytes, *, strong: bool, at: datetime) -> Session | None:
        """Exchange the token and note the proof; None if the session is over."""

    async def date_proof(self, session_id: UUID, proved_at: datetime | None) -> None:
        """Say of a new session that its holder proved who they are at another time than now, or never."""

    async def touch(self, session_id: UUID, *, at: datetime) -> None: ...

    async def end(self, session_id: UUID) -> bool:
        """False if there is no such session within sight."""

    async def end_all(self, account_id: UUID, *, but: UUID | None = None) -> int:
        """How many there were."""


class Attempts(Protocol):
    """Counters of failures by a keyed hash. Any scope may; only who knows what is hashed finds one."""

    async def find(self, key: bytes) -> Counter:
        """Held until the transaction ends."""

    async def note(self, key: bytes, counter: Counter, *, account_id: UUID | None) -> None: ...

    async def forgive(self, key: bytes, *, one: bool) -> None:
        """Take back the last failure only, or all of them."""


class Security(Protocol):
    """The security log of each account."""

    async def record(
        self, account_id: UUID, kind: SecurityKind, client: Client, *, at: datetime, session_id: UUID | None = None
    ) -> None:
        """Any scope may."""

    async def of_account(self, account_id: UUID, *, before: UUID | None, limit: int) -> Sequence[SecurityEvent]:
        """The newest first; only those older than the event `before`, if one is named."""

    async def count(self, account_id: UUID, kind: SecurityKind, *, since: datetime) -> int: ...

    async def familiarity(self, account_id: UUID | None, client: Client, *, now: datetime) -> Familiarity: ...
