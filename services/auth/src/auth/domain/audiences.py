"""Whom an operator tells something: everybody, or those whom an incident concerns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Audience:
    """People with an account. What is None narrows nothing.

    `workspace_id`: the members of one workspace. `platform`: the members of workspaces that are connected to it.
    `active_from`, `active_until`: those who signed in, or changed something about signing in, between these times.
    """

    workspace_id: UUID | None = None
    platform: str | None = None
    active_from: datetime | None = None
    active_until: datetime | None = None
