"""API keys over HTTP, for the people of a workspace."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope
from kit.passport import Caller, permission
from kit.secret import Secret
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from auth.api.clients import client_of
from auth.domain.api_keys import CONNECTIONS_MAX, OVERLAP_MAX, ApiKey
from auth.ports.api_keys import KeyHashes
from auth.ports.store import Transactions
from auth.use_cases.api_keys import Wish, create_key, list_keys, revoke_key, rotate_key

_KEYS = "/api/workspaces/{workspace_id:uuid}/api-keys"
_KEY = _KEYS + "/{key_id:uuid}"

AnyRequest = Request[Any, Any, Any]
Time = Annotated[datetime, Meta(tz=True)]


class KeyBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`connection_ids` left out: every connection that the workspace has or will have."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    permissions: Annotated[list[Permission], Meta(min_length=1, max_length=len(Permission))]
    connection_ids: Annotated[list[UUID], Meta(min_length=1, max_length=CONNECTIONS_MAX)] | None = None
    expires_at: Time | None = None


class RotationBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    overlap_seconds: Annotated[int, Meta(ge=0, le=int(OVERLAP_MAX.total_seconds()))] = 0
    expires_at: Time | None = None


class KeyAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key; `secret` only where it was just made."""

    key_id: UUID
    name: str
    prefix: str
    permissions: list[str]
    connection_ids: list[UUID] | None
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    state: str
    secret: str | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, key: ApiKey, *, now: datetime, secret: Secret | None = None) -> Self:
        shown = {name: getattr(key, name) for name in cls.__struct_fields__ if name not in ("state", "secret")}
        return cls(**shown, state=key.state(now).value, secret=secret.reveal() if secret else msgspec.UNSET)


class KeysAnswer(msgspec.Struct, frozen=True):
    api_keys: list[KeyAnswer]


def api_key_routes(transactions: Transactions, hashes: KeyHashes) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.API_KEY_MANAGE)]

    @post(_KEYS, guards=guards)
    async def make_key(
        request: AnyRequest, workspace_id: FromPath[UUID], caller: NamedDependency[Caller], data: JSONBody[KeyBody]
    ) -> KeyAnswer:
        wish = Wish(data.name, data.permissions, data.connection_ids, data.expires_at)
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            key, secret = await create_key(store, wish, caller=caller, client=client_of(request), hashes=hashes)
            return KeyAnswer.of(key, now=store.now(), secret=secret)

    @get(_KEYS, guards=guards)
    async def show_keys(workspace_id: FromPath[UUID]) -> KeysAnswer:
        async with transactions(Scope.workspace(workspace_id)) as store:
            return KeysAnswer([KeyAnswer.of(key, now=store.now()) for key in await list_keys(store, workspace_id)])

    @post(_KEY + "/rotations", guards=guards)
    async def replace_secret(
        request: AnyRequest,
        workspace_id: FromPath[UUID],
        key_id: FromPath[UUID],
        caller: NamedDependency[Caller],
        data: JSONBody[RotationBody],
    ) -> KeyAnswer:
        overlap = timedelta(seconds=data.overlap_seconds)
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            key, secret = await rotate_key(
                store,
                key_id,
                overlap=overlap,
                expires_at=data.expires_at,
                caller=caller,
                client=client_of(request),
                hashes=hashes,
            )
            return KeyAnswer.of(key, now=store.now(), secret=secret)

    @delete(_KEY, guards=guards)
    async def end_key(
        request: AnyRequest, workspace_id: FromPath[UUID], key_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> None:
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            await revoke_key(store, key_id, caller=caller, client=client_of(request))

    return [make_key, show_keys, replace_secret, end_key]
