"""Members have a published post taken off its platform."""

from __future__ import annotations

from collections.abc import Callable

from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import permission
from litestar import delete
from litestar.handlers import HTTPRouteHandler

from publisher.api.publications import PATH, Id, Known, PublicationView, reached, shown
from publisher.ports import Removing, Store
from publisher.use_cases.remove_post import ask_removal


def route(units: Units[Store], removing: Removing, *, clock: Clock, wake: Callable[[], None]) -> HTTPRouteHandler:
    """`wake`: called when there is something to remove."""

    @delete(
        PATH + "/{publication_id:uuid}/post",
        guards=[permission(Permission.PUBLICATION_REMOVE)],
        status_code=202,
        operation_id="removePost",
    )
    async def remove(workspace_id: Id, publication_id: Id, caller: Known) -> PublicationView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            publication = await reached(publication_id, caller, store)
            await ask_removal(publication_id, by=caller.account, store=store, removing=removing, now=clock.now())
            (view,) = await shown([publication], store, clock)
        wake()
        return view

    return remove
