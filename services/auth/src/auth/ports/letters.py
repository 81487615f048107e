"""What is stored of mail on its way and of its proofs, and who carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from kit.secret import Secret

from auth.domain.audiences import Audience
from auth.domain.letters import DueLetter, Letter, LetterKind, Proof, ProofPurpose


class Letters(Protocol):
    """Mail that waits to be sent. Any scope may add; the rest is the worker's."""

    async def add(self, letter: Letter, *, at: datetime) -> None:
        """Send it once the transaction commits."""

    async def add_for(self, audience: Audience, kind: LetterKind, facts: Mapping[str, str], *, at: datetime) -> int:
        """One for each of them; returns how many. The worker's."""

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[DueLetter]:
        """Letters whose time has come, kept from other senders until a time."""

    async def count_sent(self, address: str, kind: LetterKind, *, since: datetime, besides: UUID) -> int:
        """How many of a kind this address was sent, one letter left out."""

    async def note_sent(self, letter: DueLetter, *, at: datetime) -> None: ...

    async def postpone(self, letter_id: UUID, *, until: datetime) -> None: ...

    async def remove(self, letter_id: UUID) -> None: ...

    async def drop(self, letter_id: UUID, kind: LetterKind, code: str) -> None:
        """Remove one that will not arrive, and count it."""


class Proofs(Protocol):
    """Tokens that letters carried, by their hash. Adding is the worker's."""

    async def add(self, token_hash: bytes, purpose: ProofPurpose, proof: Proof, *, expires_at: datetime) -> None: ...

    async def find(self, token_hash: bytes, purpose: ProofPurpose) -> Proof | None:
        """What a token proves, which is still good after this."""

    async def take(self, token_hash: bytes, purpose: ProofPurpose) -> Proof | None:
        """What a token proves, once: neither it nor another one for the same is good once the transaction commits."""

    async def cancel(self, account_id: UUID) -> None:
        """Make useless what is on its way to change an account's password or address."""


@dataclass(frozen=True)
class Mail:
    """A letter in words, to be carried. The words may hold a token."""

    letter_id: UUID
    kind: LetterKind
    address: str
    language: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class MailRefused(Exception):
    """The other side will never take this letter. `code` is its SMTP code, or a word of ours."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailPostponed(Exception):
    """The other side does not take this letter now."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PostClosed(Exception):
    """No letter can be carried now: nobody answers, or we are not let in. `code` says why without quoting anybody."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Carrier(Protocol):
    async def carry(self, mail: Mail, *, at: datetime) -> None:
        """Raises `MailRefused`, `MailPostponed`; `PostClosed` if the others need not be tried either."""


class Post(Protocol):
    """The way out for mail."""

    def open(self) -> AbstractAsyncContextManager[Carrier]:
        """Carry several letters on one connection. Raises `PostClosed`."""


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed in. `implicit_tls` encrypts from the first byte; otherwise STARTTLS is insisted on, unless
    the server is `plain`, as only a developer's may be."""

    host: str
    port: int
    implicit_tls: bool = False
    plain: bool = False
    user: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
