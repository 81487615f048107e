"""The same content for the same connection twice within a month: mostly a mistake, and spam to platforms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kit.problems import Conflict

WITHIN = timedelta(days=30)
"""Before and after. What is further apart was meant."""


class DuplicateContent(Conflict):
    code = "duplicate"
    title = "The same content goes to a connection within 30 days"


@dataclass(frozen=True)
class Content:
    """What each connection gets, as a hash; `refuse_duplicates`: nothing is to be kept that is there already."""

    hashes: Mapping[UUID, str]
    refuse_duplicates: bool = False


@dataclass(frozen=True)
class Duplicate:
    """A schedule that has the same content for a connection, the nearest in time."""

    schedule_id: UUID
    connection_id: UUID
    due_at: datetime
