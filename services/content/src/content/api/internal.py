"""What other services ask content for."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from kit.database import Scope
from kit.passport import service
from litestar import MediaType, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from content.api.desk import Desk
from content.api.parameters import Id
from content.use_cases.read_posts import give_revision

REVISIONS_MAX = 100
"""Revisions in one answer: some hundred kilobytes."""


class RevisionName(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    workspace_id: UUID
    revision_id: UUID


class RevisionsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    revisions: Annotated[list[RevisionName], msgspec.Meta(min_length=1, max_length=REVISIONS_MAX)]


def routes(desk: Desk) -> list[HTTPRouteHandler]:
    @get(
        "/internal/workspaces/{workspace_id:uuid}/revisions/{revision_id:uuid}",
        guards=[service("publisher", "scheduler")],
        operation_id="GiveRevision",
    )
    async def revision(workspace_id: Id, revision_id: Id) -> Response[bytes]:
        async with desk.units(Scope.workspace(workspace_id)) as store:
            sealed = await give_revision(workspace_id, revision_id, store=store)
        # Written by the contract itself: whoever recomputes the hash must read what was hashed.
        return Response(sealed.model_dump_json().encode(), media_type=MediaType.JSON)

    @post("/internal/revisions", guards=[service("publisher")], operation_id="GiveRevisions", status_code=200)
    async def revisions(data: JSONBody[RevisionsBody]) -> Response[bytes]:
        # Of many workspaces, so in nobody's scope but our own; each is found by both of its ids.
        async with desk.units(Scope.worker()) as store:
            found = await store.sealed([(name.workspace_id, name.revision_id) for name in data.revisions])
        written = ",".join(sealed.model_dump_json() for sealed in found)
        return Response(f"[{written}]".encode(), media_type=MediaType.JSON)

    return [revision, revisions]
