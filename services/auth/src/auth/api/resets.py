"""Forgotten passwords over HTTP."""

from __future__ import annotations

from typing import Any

from kit.database import Scope
from kit.secret import Secret
from litestar import MediaType, Request, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import AddressBody, ResetBody
from auth.api.clients import client_of
from auth.use_cases.means import Means
from auth.use_cases.resetting import ask_for_reset, reset_password


def reset_routes(means: Means) -> list[ControllerRouterHandler]:
    """Ask for a letter, and choose a new password with it."""

    @post("/api/password-resets", status_code=202, media_type=MediaType.TEXT)
    async def ask(data: JSONBody[AddressBody]) -> None:
        means.check_own_sign_in()
        async with means.transactions(Scope.nobody()) as store:
            await ask_for_reset(store, data.email)

    @post("/api/password-resets/confirmations", status_code=204)
    async def reset(request: Request[Any, Any, Any], data: JSONBody[ResetBody]) -> None:
        await reset_password(means, Secret(data.token), Secret(data.password), client_of(request))

    return [ask, reset]
