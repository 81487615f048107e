"""Events of publisher: what became of one revision at one connection."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.event import Event, Instant, Word
from contracts.registry import event

PlatformId = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[!-~]+$")]
"""What a platform calls a post: a number, a URN or a URI, in visible ASCII without spaces."""


class Publication(Event):
    """What every publication event says. `occurrence` counts the times of a schedule that repeats."""

    workspace_id: UUID
    publication_id: UUID
    schedule_id: UUID
    post_id: UUID
    revision_id: UUID
    connection_id: UUID
    platform: Word
    occurrence: int = 1


@event("publication.staged", 1, owner="publisher", aggregate="publication_id")
class PublicationStagedV1(Publication):
    """Everything invisible is done; only the step that shows the post is left."""


@event("publication.published", 1, owner="publisher", aggregate="publication_id")
class PublicationPublishedV1(Publication):
    """The platform shows the post. `platform_post_id` can be absent until the platform tells it."""

    published_at: Instant
    platform_post_id: PlatformId | None = None


@event("publication.identified", 1, owner="publisher", aggregate="publication_id")
class PublicationIdentifiedV1(Publication):
    """The platform told the post's id some time after it was published."""

    platform_post_id: PlatformId


@event("publication.failed", 1, owner="publisher", aggregate="publication_id")
class PublicationFailedV1(Publication):
    """The post did not go out and will not without a person. `code` is the reason."""

    code: Word


@event("publication.outcome_unknown", 1, owner="publisher", aggregate="publication_id")
class PublicationOutcomeUnknownV1(Publication):
    """The platform did not answer the step that shows the post; it is being looked up, not repeated."""


@event("publication.needs_attention", 1, owner="publisher", aggregate="publication_id")
class PublicationNeedsAttentionV1(Publication):
    """The look-up could not decide; a person must, with the evidence kept."""

    code: Word


@event("publication.cancelled", 1, owner="publisher", aggregate="publication_id")
class PublicationCancelledV1(Publication):
    """The post will not go out because that was taken back in time. `code` is the reason."""

    code: Word


@event("publication.missed", 1, owner="publisher", aggregate="publication_id")
class PublicationMissedV1(Publication):
    """The window in which the post might go out has passed, and nothing of it is visible. `code` is what kept it.

    `when_missed` is `hold` where a person may still let it go out, and `drop` where it has ended.
    """

    code: Word
    when_missed: Word


@event("publication.removed", 1, owner="publisher", aggregate="publication_id")
class PublicationRemovedV1(Publication):
    """The post was deleted at the platform, by a person's wish here."""

    removed_at: Instant
