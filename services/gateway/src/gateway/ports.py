"""What the edge asks of others: auth for passports, every owner for its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from kit.secret import Secret

from gateway.domain.credentials import Credential


@dataclass(frozen=True)
class ForwardedRequest:
    """A client's request as its owner gets it: no cookie, nothing that belongs to the connection it came on.

    `answer_seconds`: how long the owner may be silent before it counts as away. `answer_streams`: whether a success
    is wanted in pieces. `browser`: what tells this browser from others, where the owner needs to know.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    answer_seconds: float
    body: bytes | AsyncIterator[bytes] = b""
    answer_streams: bool = False
    browser: Secret | None = None


class StreamedBody(Protocol):
    """The body of an answer in pieces, which is to be closed whether it was read or not."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class OwnerAnswer:
    """An owner's answer, to be handed on as it is. If `stream` is there, it is the body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: StreamedBody | None = None


class Sessions(Protocol):
    """Turns a session or a key into proof of who calls."""

    async def passport(self, credential: Credential, *, workspace_id: UUID | None) -> Secret:
        """A passport of the person, in the workspace if one is named. Raises the problem that auth told."""
        ...

    def own_passport(self) -> Secret:
        """The edge's own, by which auth knows that what is said about a client was not said by the client."""
        ...


class Owners(Protocol):
    """The services behind the edge."""

    async def send(self, owner: str, request: ForwardedRequest, *, passport: Secret | None) -> OwnerAnswer:
        """The owner's answer, whatever its status. Raises `kit.problems.Unavailable` if there was none."""
        ...
