"""A person decides what became of a publication, or what shall become of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from publisher.domain.answers import Answer, answered_by_person
from publisher.domain.publication import Publication, PublicationNotFound
from publisher.ports import Store
from publisher.use_cases.settle import write


async def answer_publication(
    publication_id: UUID, answer: Answer, *, by: UUID, url: str | None, store: Store, now: datetime
) -> Publication:
    """The publication after the answer. Raises `PublicationNotFound`, and what `answered_by_person` raises."""
    for before in await store.lock([publication_id]):
        after = answered_by_person(before, answer, now, url=url)
        await write([(before, after)], store=store, actor=by)
        return after
    raise PublicationNotFound()
