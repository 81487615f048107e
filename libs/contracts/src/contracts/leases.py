"""How a service borrows the grant of a connection from auth, for the seconds of one platform call.

The grant travels sealed for the borrowing service alone. A disconnect waits until every lease is returned
or has run out, so a borrower returns them as soon as its call is over.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import Instant

LEASE_SECONDS = 30
"""A lease that is not returned ends by itself after this."""

LEASES_MAX = 100
"""Connections in one request."""


class Purpose(StrEnum):
    """What a grant is lent for. A new one is only asked for once auth knows it."""

    PUBLISH = "publish"
    READ_METRICS = "read_metrics"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LeaseRequest(_Shape):
    """Without a `purpose` the one that the borrower is there for is meant."""

    connection_ids: tuple[UUID, ...] = Field(min_length=1, max_length=LEASES_MAX)
    purpose: Purpose | None = None


class Lease(_Shape):
    """One borrowed grant, the `generation`-th of its connection.

    `sealed` is base64 of HPKE to the borrower, with `lease_context` as its context.
    """

    lease_id: UUID
    connection_id: UUID
    workspace_id: UUID
    platform: str
    handle: str
    sealed: str
    expires_at: Instant
    generation: int | None = None


class LeaseRefusal(_Shape):
    """Why there is no grant: `unknown`, `revoked`, `reauth_required` or `refreshing` (ask again shortly)."""

    connection_id: UUID
    code: str


class LeaseAnswer(_Shape):
    leases: tuple[Lease, ...]
    refused: tuple[LeaseRefusal, ...]


class LeaseReturn(_Shape):
    lease_ids: tuple[UUID, ...] = Field(max_length=LEASES_MAX)


class DeadGrant(_Shape):
    """A borrower tells that the platform refused the grant: `POST /internal/connections/{id}/dead`.

    With the `generation` that it borrowed, a report that comes late does not harm a newer grant.
    """

    code: str
    generation: int | None = None


def lease_context(lease_id: UUID, connection_id: UUID) -> bytes:
    """Binds a sealed grant to its lease and connection."""
    return f"lease:{lease_id}:{connection_id}".encode()
