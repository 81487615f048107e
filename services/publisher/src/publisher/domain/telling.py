"""Which event a change of a publication is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from contracts.event import Event
from contracts.publisher import (
    PublicationCancelledV1,
    PublicationFailedV1,
    PublicationIdentifiedV1,
    PublicationMissedV1,
    PublicationNeedsAttentionV1,
    PublicationOutcomeUnknownV1,
    PublicationPublishedV1,
    PublicationRemovedV1,
    PublicationStagedV1,
)

from publisher.domain.publication import Publication, State

T = TypeVar("T")

UNKNOWN_PLATFORM = "unknown"
"""Said of a publication that ended before anything of its connection was known."""


def told_by(before: Publication | None, after: Publication) -> Event | None:
    """The event of this change, if it is one that others hear of. `before` is None for a new row."""
    if before is None or before.state is not after.state:
        return _of_state(before, after)
    if after.platform_post_id and not before.platform_post_id:
        return PublicationIdentifiedV1(**_ids(after), platform_post_id=after.platform_post_id)
    return None


def told_of_removal(publication: Publication, at: datetime) -> Event:
    return PublicationRemovedV1(**_ids(publication), removed_at=at)


def _of_state(before: Publication | None, after: Publication) -> Event | None:
    ids = _ids(after)
    match after.state:
        case State.STAGED if before is None or before.staged_at is None:
            return PublicationStagedV1(**ids)
        case State.PUBLISHED:
            return PublicationPublishedV1(
                **ids, published_at=_known(after.published_at), platform_post_id=after.platform_post_id
            )
        case State.FAILED:
            return PublicationFailedV1(**ids, code=_known(after.code))
        case State.OUTCOME_UNKNOWN:
            return PublicationOutcomeUnknownV1(**ids)
        case State.NEEDS_ATTENTION:
            return PublicationNeedsAttentionV1(**ids, code=_known(after.code))
        case State.MISSED:
            return PublicationMissedV1(**ids, code=_known(after.code), when_missed=after.when_missed)
        case State.CANCELLED:
            return PublicationCancelledV1(**ids, code=_known(after.code))
        case _:
            return None


def _known(value: T | None) -> T:
    assert value is not None
    return value


def _ids(publication: Publication) -> dict[str, Any]:
    return {
        "workspace_id": publication.workspace_id,
        "publication_id": publication.publication_id,
        "schedule_id": publication.schedule_id,
        "post_id": publication.post_id,
        "revision_id": publication.revision_id,
        "connection_id": publication.connection_id,
        "platform": publication.platform or UNKNOWN_PLATFORM,
        "occurrence": publication.occurrence,
    }
