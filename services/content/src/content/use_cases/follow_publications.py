"""Keep what became of posts, as publisher told it, so that people see it beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.publisher import (
    PublicationCancelledV1,
    PublicationFailedV1,
    PublicationMissedV1,
    PublicationNeedsAttentionV1,
    PublicationPublishedV1,
    PublicationRemovedV1,
)

from content.domain.post import Publication, PublicationState
from content.ports import Store

News = (
    PublicationPublishedV1
    | PublicationFailedV1
    | PublicationNeedsAttentionV1
    | PublicationCancelledV1
    | PublicationMissedV1
    | PublicationRemovedV1
)

_STATES: dict[type[News], PublicationState] = {
    PublicationPublishedV1: PublicationState.PUBLISHED,
    PublicationFailedV1: PublicationState.FAILED,
    PublicationNeedsAttentionV1: PublicationState.NEEDS_ATTENTION,
    PublicationCancelledV1: PublicationState.CANCELLED,
    PublicationMissedV1: PublicationState.MISSED,
    PublicationRemovedV1: PublicationState.PUBLISHED,
}


async def follow_publications(news: Sequence[News], *, at: datetime, store: Store) -> None:
    """In the order they were told: of several about one publication the last final one stays."""
    newest: dict[UUID, Publication] = {}
    for each in news:
        told = _publication(each, at)
        known = newest.get(each.publication_id)
        if known is None or known.state.finality <= told.state.finality:
            newest[each.publication_id] = told.after(known) if known else told
    await store.keep_publications(list(newest.values()))


def _publication(news: News, at: datetime) -> Publication:
    return Publication(
        workspace_id=news.workspace_id,
        post_id=news.post_id,
        publication_id=news.publication_id,
        revision_id=news.revision_id,
        connection_id=news.connection_id,
        platform=news.platform,
        state=_STATES[type(news)],
        code=None if isinstance(news, PublicationPublishedV1 | PublicationRemovedV1) else news.code,
        published_at=news.published_at if isinstance(news, PublicationPublishedV1) else None,
        told_at=at,
        removed_at=news.removed_at if isinstance(news, PublicationRemovedV1) else None,
    )
