"""Connections over HTTP, for the people of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope
from kit.passport import Caller, permission, person
from kit.problems import NotFound
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import AuthorisationBody, ChoiceBody
from auth.domain.authorising import ChoiceNeeded
from auth.domain.connections import Connection, Ended
from auth.domain.withdrawing import EndedConnection
from auth.ports.borrowings import Use
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.choosing import choose
from auth.use_cases.connecting import finish_connecting, start_connecting
from auth.use_cases.disconnecting import disconnect, list_ended
from auth.use_cases.establishing import Visit

_CONNECTIONS = "/api/workspaces/{workspace_id:uuid}/connections"


class StartedAuthorisation(msgspec.Struct, frozen=True):
    authorisation_url: str
    expires_at: datetime


class Connections(msgspec.Struct, frozen=True):
    connections: list[Connection]


class EndedConnections(msgspec.Struct, frozen=True):
    connections: list[EndedConnection]


class Uses(msgspec.Struct, frozen=True):
    uses: list[Use]


def authorisation_routes(
    transactions: Transactions, platforms: Platforms, vault: Vault
) -> list[ControllerRouterHandler]:
    """Go to a platform and come back."""

    # A person goes to the platform and comes back; a key cannot.
    @post(f"{_CONNECTIONS}/authorisations", guards=[permission(Permission.CONNECTION_MANAGE, session=True)])
    async def start_authorisation(
        workspace_id: FromPath[UUID], caller: NamedDependency[Caller], data: JSONBody[AuthorisationBody]
    ) -> StartedAuthorisation:
        url, expires_at = await start_connecting(
            transactions,
            workspace_id=workspace_id,
            account_id=caller.account,
            name=data.platform,
            handle=data.handle,
            platforms=platforms,
            vault=vault,
        )
        return StartedAuthorisation(url, expires_at)

    @get("/api/oauth/callback", guards=[person()])
    async def come_back(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> Connection | ChoiceNeeded:
        # Every platform sends other parameters; only what it was sent with decides which ones count.
        callback = dict(request.query_params)
        return await finish_connecting(
            transactions, account_id=caller.account, callback=callback, platforms=platforms, vault=vault
        )

    @post(
        _CONNECTIONS + "/authorisations/{authorisation_id:uuid}/choices",
        guards=[permission(Permission.CONNECTION_MANAGE, session=True)],
    )
    async def choose_accounts(
        workspace_id: FromPath[UUID],
        authorisation_id: FromPath[UUID],
        caller: NamedDependency[Caller],
        data: JSONBody[ChoiceBody],
    ) -> Connections:
        visit = Visit(workspace_id, caller.account, authorisation_id)
        return Connections(await choose(transactions, visit, data.account_ids, platforms=platforms, vault=vault))

    return [start_authorisation, come_back, choose_accounts]


def connection_routes(transactions: Transactions, platforms: Platforms, vault: Vault) -> list[ControllerRouterHandler]:
    """See and end connections."""

    @get(_CONNECTIONS, guards=[permission(Permission.CONNECTION_READ)])
    async def show_connections(workspace_id: FromPath[UUID], caller: NamedDependency[Caller]) -> Connections:
        async with transactions(Scope.workspace(workspace_id)) as store:
            known = await store.connections.of_workspace(workspace_id)
        return Connections(caller.reached(known, lambda connection: [connection.connection_id]))

    @delete(
        _CONNECTIONS + "/{connection_id:uuid}",
        guards=[permission(Permission.CONNECTION_MANAGE)],
        status_code=200,
    )
    async def end_connection(workspace_id: FromPath[UUID], connection_id: FromPath[UUID]) -> Ended:
        return await disconnect(
            transactions, workspace_id=workspace_id, connection_id=connection_id, platforms=platforms, vault=vault
        )

    return [show_connections, end_connection]


def ended_routes(transactions: Transactions, platforms: Platforms) -> list[ControllerRouterHandler]:
    """See what has ended, and whether the platform knows of it."""

    @get(f"{_CONNECTIONS}/ended", guards=[permission(Permission.CONNECTION_READ)])
    async def show_ended(workspace_id: FromPath[UUID]) -> EndedConnections:
        return EndedConnections(await list_ended(transactions, workspace_id, platforms=platforms))

    return [show_ended]


def use_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """See what a connection's grant was used for."""

    @get(
        _CONNECTIONS + "/{connection_id:uuid}/uses",
        guards=[permission(Permission.CONNECTION_MANAGE)],
    )
    async def show_uses(workspace_id: FromPath[UUID], connection_id: FromPath[UUID]) -> Uses:
        async with transactions(Scope.workspace(workspace_id)) as store:
            uses = await store.borrowings.of_connection(connection_id)
        if uses is None:
            raise NotFound()
        return Uses(list(uses))

    return [show_uses]
