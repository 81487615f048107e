"""Borrowing grants from auth for the length of a block, and giving them back whatever happens in it."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from contracts.leases import (
    LEASE_SECONDS,
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
    """One connection's grant, open while it is held. `handle` is the account's name for building addresses."""

    workspace_id: UUID
    platform: PlatformName
    handle: str
    grant: Grant


@dataclass(frozen=True)
class Borrowing:
    """What a request for leases gave: grants by connection, and a code for each that was refused."""

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

        No request to a platform begins in the block once the lease has run out: a disconnect waits only so long. The
        time is counted from before the question, so that auth's own count cannot end earlier.
        """
        until = time.monotonic() + LEASE_SECONDS - SAFETY_SECONDS
        request = LeaseRequest(connection_ids=tuple(connection_ids), purpose=self._purpose)
        document = await self._auth.call("POST", "/internal/leases", json=request.model_dump(mode="json"))
        answer = LeaseAnswer.model_validate(document)
        try:
            with no_requests_after(until):
                yield Borrowing(
                    grants={lease.connection_id: self._open(lease) for lease in answer.leases},
                    refused={refusal.connection_id: refusal.code for refusal in answer.refused},
                )
        finally:
            await self._give_back(answer.leases)

    async def report_dead(self, connection_id: UUID, code: str) -> None:
        """Tell auth that the platform refused this grant for good."""
        await self._auth.call("POST", f"/internal/connections/{connection_id}/dead", json={"code": code})

    def _open(self, lease: Lease) -> Borrowed:
        context = lease_context(lease.lease_id, lease.connection_id)
        data = self._key.open(base64.b64decode(lease.sealed), context=context)
        return Borrowed(lease.workspace_id, PlatformName(lease.platform), lease.handle, grants.load(data))

    async def _give_back(self, leases: Sequence[Lease]) -> None:
        if not leases:
            return
        back = LeaseReturn(lease_ids=tuple(lease.lease_id for lease in leases))
        try:
            await self._auth.call("POST", "/internal/leases/returns", json=back.model_dump(mode="json"))
        except (Unavailable, CallRefused) as error:
            # They run out by themselves within seconds.
            log.warning("leases_not_returned", reason=type(error).__name__)
