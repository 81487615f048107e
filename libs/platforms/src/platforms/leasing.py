"""Borrowing grants from auth for the length of a block, and giving them back whatever happens in it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from contracts.leases import Lease, LeaseAnswer, LeaseRequest, LeaseReturn, lease_context
from kit.calls import CallRefused, Neighbour
from kit.keys import SealingKey
from kit.problems import Unavailable

from platforms import grants
from platforms.shape import Grant, PlatformName

log = structlog.get_logger("leasing")


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
    """Leases of one borrowing service."""

    def __init__(self, auth: Neighbour, key: SealingKey) -> None:
        self._auth = auth
        self._key = key

    @asynccontextmanager
    async def borrow(self, connection_ids: Sequence[UUID]) -> AsyncIterator[Borrowing]:
        """Hold the grants of these connections for the block. Raises `kit.problems.Unavailable` if auth is away."""
        request = LeaseRequest(connection_ids=tuple(connection_ids))
        document = await self._auth.call("POST", "/internal/leases", json=request.model_dump(mode="json"))
        answer = LeaseAnswer.model_validate(document)
        try:
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
