"""A person's address and photo over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contracts.access import Permission
from kit.database import Scope
from kit.passport import Caller, permission, person
from kit.secret import Secret
from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import NewAddressBody, TokenBody
from auth.api.clients import client_of
from auth.domain.photos import PHOTO_BYTES_MAX, PHOTO_TYPE, NoPhoto
from auth.ports.photos import PhotoMaker
from auth.ports.store import Store, Transactions
from auth.use_cases.addresses import ask_for_address, confirm_address
from auth.use_cases.means import Means

AnyRequest = Request[Any, Any, Any]


def address_routes(means: Means) -> list[ControllerRouterHandler]:
    @post("/api/account/address", guards=[person()], status_code=202, media_type=MediaType.TEXT)
    async def ask(request: AnyRequest, caller: NamedDependency[Caller], data: JSONBody[NewAddressBody]) -> None:
        await ask_for_address(
            means,
            caller,
            email=data.email,
            password=Secret(data.password) if data.password else None,
            client=client_of(request),
        )

    # Open, because the letter may be read in another browser: its token is the permission.
    @post("/api/account/address/confirmations", status_code=204)
    async def confirm(request: AnyRequest, data: JSONBody[TokenBody]) -> None:
        await confirm_address(means.transactions, Secret(data.token), client_of(request))

    return [ask, confirm]


def photo_routes(transactions: Transactions, maker: PhotoMaker) -> list[ControllerRouterHandler]:
    @put("/api/account/photo", guards=[person()], status_code=204, request_max_body_size=PHOTO_BYTES_MAX)
    async def show_oneself(request: AnyRequest, caller: NamedDependency[Caller]) -> None:
        image = await maker.make(await request.body())
        async with transactions(Scope.account(caller.account)) as store:
            await store.photos.put(caller.account, image, at=store.now())

    @get("/api/account/photo", guards=[person()])
    async def own(caller: NamedDependency[Caller]) -> Response[bytes]:
        async with transactions(Scope.account(caller.account)) as store:
            return await _photo(store, caller.account)

    @delete("/api/account/photo", guards=[person()])
    async def hide(caller: NamedDependency[Caller]) -> None:
        async with transactions(Scope.account(caller.account)) as store:
            await store.photos.remove(caller.account)

    @get(
        "/api/workspaces/{workspace_id:uuid}/members/{account_id:uuid}/photo",
        guards=[permission(Permission.WORKSPACE_READ)],
    )
    async def of_member(workspace_id: FromPath[UUID], account_id: FromPath[UUID]) -> Response[bytes]:
        async with transactions(Scope.workspace(workspace_id)) as store:
            return await _photo(store, account_id)

    return [show_oneself, own, hide, of_member]


async def _photo(store: Store, account_id: UUID) -> Response[bytes]:
    image = await store.photos.find(account_id)
    if image is None:
        raise NoPhoto()
    return Response(image, media_type=PHOTO_TYPE)
