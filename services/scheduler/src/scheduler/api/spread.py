"""The workspace's rule of how far apart posts of one connection go out."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from contracts.access import Permission
from kit.database import Scope, Units
from kit.passport import permission
from litestar import get, put
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import SPREAD, Id, Known, SpreadMinutes
from scheduler.ports import Store

_MINUTE = timedelta(minutes=1)


class SpreadBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """0: they may go out together."""

    spread_minutes: SpreadMinutes


def routes(units: Units[Store]) -> list[ControllerRouterHandler]:
    @put(SPREAD, guards=[permission(Permission.WORKSPACE_UPDATE)], operation_id="replaceSpread")
    async def replace(workspace_id: Id, data: JSONBody[SpreadBody], caller: Known) -> SpreadBody:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await store.keep_spread(workspace_id, data.spread_minutes * _MINUTE)
        return data

    @get(SPREAD, guards=[permission(Permission.POST_READ)], operation_id="getSpread")
    async def show(workspace_id: Id, caller: Known) -> SpreadBody:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return SpreadBody(await store.spread(workspace_id) // _MINUTE)

    return [replace, show]
