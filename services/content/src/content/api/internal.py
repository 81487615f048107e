"""What other services ask content for."""

from __future__ import annotations

from kit.database import Scope
from kit.passport import service
from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from content.api.desk import Desk
from content.api.parameters import Id
from content.use_cases.read_posts import give_revision


def route(desk: Desk) -> HTTPRouteHandler:
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

    return revision
