"""What the publisher knows of a connection: whether it may publish through it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ConnectionState(StrEnum):
    ACTIVE = "active"
    REAUTH_REQUIRED = "reauth_required"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Connection:
    """auth's events in one row. The word of auth when a grant is borrowed counts more."""

    connection_id: UUID
    workspace_id: UUID
    platform: str | None
    state: ConnectionState
