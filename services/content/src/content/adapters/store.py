"""The rows of content in one transaction: every part of `ports.Store` in its own file."""

from __future__ import annotations

from uuid import UUID

from contracts.event import Event

from content.adapters.media_rows import MediaRows
from content.adapters.posts import Posts
from content.adapters.reviews import Reviews
from content.adapters.revisions import Revisions


class Store(Posts, Revisions, Reviews, MediaRows):
    """Implements `ports.Store`."""

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)
