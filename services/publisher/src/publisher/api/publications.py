"""Members see what became of their posts, and say what shall become of those that wait for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import Caller, permission
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from publisher.domain.answers import Answer, answers_to
from publisher.domain.publication import Publication, PublicationNotFound, State
from publisher.domain.removal import Removal
from publisher.ports import Attempt, Entry, Store, Wanted
from publisher.use_cases.answer_publication import answer_publication

LIST_MAX = 500
"""Publications in one answer, newest first."""

URL_LENGTH_MAX = 2_000

PATH = "/api/workspaces/{workspace_id:uuid}/publications"

Id = FromPath[UUID]
Known = NamedDependency[Caller]


class EntryView(msgspec.Struct, frozen=True):
    """`actor`: the person whose word it was, if it was one's."""

    at: datetime
    state: str
    code: str | None
    actor: UUID | None


class AttemptList(msgspec.Struct, frozen=True):
    attempts: list[Attempt]


class AnswerBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`url`: where the post can be seen, if it is there."""

    answer: Answer
    url: Annotated[str, msgspec.Meta(pattern=r"^https://[!-~]+$", max_length=URL_LENGTH_MAX)] | None = None


class ReceiptView(msgspec.Struct, frozen=True):
    """The platform's proof, as far as it may be kept."""

    received_at: datetime
    platform_post_id: str | None
    url: str | None
    evidence: dict[str, Any] | None


class RemovalView(msgspec.Struct, frozen=True):
    """A post on its way off the platform. `evidence`: the platform's ids of what was there and what was not."""

    state: str
    asked_by: UUID | None
    asked_at: datetime
    tries: int
    ended_at: datetime | None
    code: str | None
    detail: str | None
    advice: str | None
    evidence: dict[str, Any] | None


class PublicationView(msgspec.Struct, frozen=True):
    """`held`: it waits for the connection to be authorised again. `evidence`: what a person decides with.

    `answers`: what a person may say to it now; mostly nothing.
    """

    publication_id: UUID
    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_id: UUID
    platform: str | None
    state: str
    held: bool
    due_at: datetime
    publish_until: datetime | None
    published_at: datetime | None
    platform_post_id: str | None
    url: str | None
    code: str | None
    detail: str | None
    advice: str | None
    attempts: int
    receipt: ReceiptView | None
    evidence: dict[str, Any] | None
    answers: list[str]
    removal: RemovalView | None
    history: list[EntryView]


class PublicationList(msgspec.Struct, frozen=True):
    publications: list[PublicationView]


def routes(units: Units[Store], *, clock: Clock, wake: Callable[[], None]) -> list[ControllerRouterHandler]:
    """`wake`: called when a person has said what is to be done now."""
    path = PATH
    reads = permission(Permission.POST_READ)

    @get(path, guards=[reads], operation_id="listPublications")
    async def list_(
        workspace_id: Id,
        caller: Known,
        post_id: FromQuery[UUID | None] = None,
        schedule_id: FromQuery[UUID | None] = None,
        in_state: FromQuery[State | None] = None,
        before: FromQuery[UUID | None] = None,
    ) -> PublicationList:
        wanted = Wanted(post_id=post_id, schedule_id=schedule_id, state=in_state, before=before, reach=caller.reach)
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return PublicationList(await shown(await store.newest(wanted, limit=LIST_MAX), store, clock))

    @get(path + "/{publication_id:uuid}", guards=[reads], operation_id="getPublication")
    async def show(workspace_id: Id, publication_id: Id, caller: Known) -> PublicationView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            (view,) = await shown([await reached(publication_id, caller, store)], store, clock)
        return view

    @get(path + "/{publication_id:uuid}/attempts", guards=[reads], operation_id="listAttempts")
    async def attempts(workspace_id: Id, publication_id: Id, caller: Known) -> AttemptList:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await reached(publication_id, caller, store)
            return AttemptList(await store.attempts(publication_id))

    @post(
        path + "/{publication_id:uuid}/answer",
        guards=[permission(Permission.PUBLICATION_RESOLVE)],
        status_code=200,
        operation_id="answerPublication",
    )
    async def answer(
        workspace_id: Id, publication_id: Id, data: JSONBody[AnswerBody], caller: Known
    ) -> PublicationView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await reached(publication_id, caller, store)
            after = await answer_publication(
                publication_id, data.answer, by=caller.account, url=data.url, store=store, now=clock.now()
            )
            (view,) = await shown([after], store, clock)
        wake()
        return view

    return [list_, show, attempts, answer]


async def reached(publication_id: UUID, caller: Caller, store: Store) -> Publication:
    """Raises `PublicationNotFound`, also for what the caller's key does not reach."""
    publication = await store.find(publication_id)
    if publication is None or not caller.reaches(publication.connection_id):
        raise PublicationNotFound()
    return publication


async def shown(publications: Sequence[Publication], store: Store, clock: Clock) -> list[PublicationView]:
    """Each with its history and its removal."""
    ids = [publication.publication_id for publication in publications]
    # In this order: what is shown as ended has its line.
    removals, histories, now = await store.removals(ids), await store.histories(ids), clock.now()
    return [
        _view(each, histories[each.publication_id], removals.get(each.publication_id), now) for each in publications
    ]


def _view(
    publication: Publication, history: Sequence[Entry], removal: Removal | None, now: datetime
) -> PublicationView:
    evidence = dict(publication.evidence) if publication.evidence is not None else None
    out = publication.state is State.PUBLISHED and publication.published_at is not None
    return PublicationView(
        **{name: getattr(publication, name) for name in _SHOWN},
        state=publication.state.value,
        receipt=_receipt(publication, evidence) if out else None,
        evidence=None if out else evidence,
        answers=sorted(answers_to(publication, now)),
        removal=_removal(removal) if removal else None,
        history=[EntryView(entry.at, entry.state, entry.code, entry.actor) for entry in history],
    )


def _receipt(publication: Publication, evidence: dict[str, Any] | None) -> ReceiptView:
    assert publication.published_at is not None
    return ReceiptView(publication.published_at, publication.platform_post_id, publication.url, evidence)


def _removal(removal: Removal) -> RemovalView:
    evidence = dict(removal.evidence) if removal.evidence is not None else None
    told = {name: getattr(removal, name) for name in RemovalView.__struct_fields__}
    return RemovalView(**(told | {"state": removal.state.value, "evidence": evidence}))


_SHOWN = tuple(
    set(PublicationView.__struct_fields__) - {"state", "receipt", "evidence", "answers", "removal", "history"}
)
