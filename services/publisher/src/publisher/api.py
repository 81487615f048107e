"""The HTTP edge: members see what became of their posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope, Units
from kit.passport import Caller, permission
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from publisher.domain.publication import Publication, PublicationNotFound, State
from publisher.ports import Entry, Store

LIST_MAX = 500
"""Publications in one answer, newest first."""

Id = FromPath[UUID]
Known = NamedDependency[Caller]


class EntryView(msgspec.Struct, frozen=True):
    at: datetime
    state: str
    code: str | None


class ReceiptView(msgspec.Struct, frozen=True):
    """The platform's proof, as far as it may be kept."""

    received_at: datetime
    platform_post_id: str | None
    url: str | None
    evidence: dict[str, Any] | None


class PublicationView(msgspec.Struct, frozen=True):
    """`held`: it waits for the connection to be authorised again. `evidence`: what a person decides with."""

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
    published_at: datetime | None
    platform_post_id: str | None
    url: str | None
    code: str | None
    detail: str | None
    advice: str | None
    attempts: int
    receipt: ReceiptView | None
    evidence: dict[str, Any] | None
    history: list[EntryView]


class PublicationList(msgspec.Struct, frozen=True):
    publications: list[PublicationView]


def routes(units: Units[Store]) -> list[ControllerRouterHandler]:
    path = "/api/workspaces/{workspace_id:uuid}/publications"
    reads = permission(Permission.POST_READ)

    @get(path, guards=[reads], operation_id="listPublications")
    async def list_(
        workspace_id: Id,
        caller: Known,
        post_id: FromQuery[UUID | None] = None,
        schedule_id: FromQuery[UUID | None] = None,
    ) -> PublicationList:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            found = await store.newest(post_id=post_id, schedule_id=schedule_id, reach=caller.reach, limit=LIST_MAX)
            histories = await store.histories([publication.publication_id for publication in found])
        return PublicationList([_view(publication, histories[publication.publication_id]) for publication in found])

    @get(path + "/{publication_id:uuid}", guards=[reads], operation_id="getPublication")
    async def show(workspace_id: Id, publication_id: Id, caller: Known) -> PublicationView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            publication = await store.find(publication_id)
            if publication is None or not caller.reaches(publication.connection_id):
                raise PublicationNotFound()
            histories = await store.histories([publication_id])
        return _view(publication, histories[publication_id])

    return [list_, show]


def _view(publication: Publication, history: Sequence[Entry]) -> PublicationView:
    evidence = dict(publication.evidence) if publication.evidence is not None else None
    out = publication.state is State.PUBLISHED and publication.published_at is not None
    return PublicationView(
        **{name: getattr(publication, name) for name in _SHOWN},
        state=publication.state.value,
        receipt=_receipt(publication, evidence) if out else None,
        evidence=None if out else evidence,
        history=[EntryView(entry.at, entry.state, entry.code) for entry in history],
    )


def _receipt(publication: Publication, evidence: dict[str, Any] | None) -> ReceiptView:
    assert publication.published_at is not None
    return ReceiptView(publication.published_at, publication.platform_post_id, publication.url, evidence)


_SHOWN = tuple(set(PublicationView.__struct_fields__) - {"state", "receipt", "evidence", "history"})
