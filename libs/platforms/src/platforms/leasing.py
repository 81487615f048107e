"""Borrowing grants from auth for the length of a block, and giving them back whatever happens in it."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from contracts.leases import (
    LEASE_SECONDS,
    DeadGrant,
    Lease,
    LeaseAnswer,
    LeaseRequest,
    LeaseReturn,
    Purpose,
    lease_context,
)
from kit.calls import CallRefused, Neighbour
from kit.keys import SealingKey
from kit.problems import Unavailable

from platforms import grants
from platforms.http import no_requests_after
from platforms.shape import Grant, PlatformName

log = structlog.get_logger("leasing")

SAFETY_SECONDS = 1.0
"""Between the decision to send and the first byte a busy machine can take a moment."""


@dataclass(frozen=True)
class Borrowed:
    """One connection's grant, open while it is held. `handle` is the account's name for building addresses.

    `generation` counts the grants of its connection.
    """

    workspace_id: UUID
    platform: PlatformName
    handle: str
    grant: Grant
    generation: int | None


@dataclass(frozen=True)
class Lent:
    """One lease, and the grant that it opened.

    `until`, of the monotonic clock: no request may begin later. It is counted from before the question, so that auth's
    own count cannot end earlier.
    """

    lease_id: UUID
    borrowed: Borrowed
    expires_at: datetime
    until: float


@dataclass(frozen=True)
class Answer:
    """What a request for leases gave: leases by connection, and a code for each that was refused."""

    lent: Mapping[UUID, Lent]
    refused: Mapping[UUID, str]


@dataclass(frozen=True)
class Borrowing:
    """Grants by connection for the length of a block, and a code for each that was refused."""

    grants: Mapping[UUID, Borrowed]
    refused: Mapping[UUID, str]


class Leases:
    """Leases of one borrowing service, for the one purpose that it needs grants for."""

    def __init__(self, auth: Neighbour, key: SealingKey, purpose: Purpose) -> None:
        self._auth = auth
        self._key = key
        self._purpose = purpose

    @asynccontextmanager
    async def borrow(self, connection_ids: Sequence[UUID]) -> AsyncIterator[Borrowing]:
        """Hold the grants of these connections for the block. Raises `kit.problems.Unavailable` if auth is away.

        No request to a platform begins in the block once the lease has run out: a disconnect waits only so long.
        """
        answer = await self.ask(connection_ids)
        lent = answer.lent.values()
        try:
            with no_requests_after(min((each.until for each in lent), default=0.0)):
                yield Borrowing({key: each.borrowed for key, each in answer.lent.items()}, answer.refused)
        finally:
            await self.give_back([each.lease_id for each in lent])

    async def ask(self, connection_ids: Collection[UUID]) -> Answer:
        """Leases to be given back by the caller. Raises `kit.problems.Unavailable`, `kit.calls.CallRefused`."""
        until = time.monotonic() + LEASE_SECONDS - SAFETY_SECONDS
        request = LeaseRequest(connection_ids=tuple(connection_ids), purpose=self._purpose)
        document = await self._auth.call("POST", "/internal/leases", json=request.model_dump(mode="json"))
        answer = LeaseAnswer.model_validate(document)
        return Answer(
            lent={
                lease.connection_id: Lent(lease.lease_id, self._open(lease), lease.expires_at, until)
                for lease in answer.leases
            },
            refused={refusal.connection_id: refusal.code for refusal in answer.refused},
        )

    async def report_dead(self, connection_id: UUID, code: str, *, generation: int | None = None) -> None:
        """Tell auth that the platform refused this grant for good. A newer one than of `generation` is left alone."""
        dead = DeadGrant(code=code, generation=generation)
        await self._auth.call("POST", f"/internal/connections/{connection_id}/dead", json=dead.model_dump())

    def _open(self, lease: Lease) -> Borrowed:
        context = lease_context(lease.lease_id, lease.connection_id)
        data = self._key.open(base64.b64decode(lease.sealed), context=context)
        platform = PlatformName(lease.platform)
        return Borrowed(lease.workspace_id, platform, lease.handle, grants.load(data), lease.generation)

    async def give_back(self, lease_ids: Sequence[UUID]) -> None:
        """Whatever happens: what cannot be returned runs out by itself within seconds."""
        if not lease_ids:
            return
        back = LeaseReturn(lease_ids=tuple(lease_ids))
        try:
            await self._auth.call("POST", "/internal/leases/returns", json=back.model_dump(mode="json"))
        except (Unavailable, CallRefused) as error:
            log.warning("leases_not_returned", reason=type(error).__name__)
