"""Accounts over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
from kit.database import Scope
from kit.passport import Caller, person
from kit.secret import Secret
from litestar import Request, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import CorrectionBody, DeletionBody, given
from auth.api.clients import client_of
from auth.domain.accounts import Account
from auth.domain.exporting import AccountExport
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.accounts import correct_account, read_account
from auth.use_cases.closing import OpenedErasure, delete_account
from auth.use_cases.exporting import HeldAbout, export_account
from auth.use_cases.means import Means


class OpenedErasures(msgspec.Struct, frozen=True):
    erasures: list[OpenedErasure]


def account_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """Read and correct one's account."""

    @get("/api/account", guards=[person()])
    async def show_account(caller: NamedDependency[Caller]) -> Account:
        async with transactions(Scope.account(caller.account)) as store:
            return await read_account(store, caller.account)

    @patch("/api/account", guards=[person()])
    async def change_account(caller: NamedDependency[Caller], data: JSONBody[CorrectionBody]) -> Account:
        async with transactions(Scope.account(caller.account)) as store:
            return await correct_account(store, caller.account, given(data))

    return [show_account, change_account]


def export_routes(transactions: Transactions, held_about: HeldAbout) -> list[ControllerRouterHandler]:
    """Be told all that is held about oneself."""

    @get("/api/account/export", guards=[person()])
    async def export(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> AccountExport:
        return await export_account(transactions, caller, client_of(request), held_about=held_about)

    return [export]


def deletion_routes(means: Means, platforms: Platforms, vault: Vault) -> list[ControllerRouterHandler]:
    """Delete one's account."""

    @delete("/api/account", guards=[person()], status_code=202)
    async def close_account(
        request: Request[Any, Any, Any], caller: NamedDependency[Caller], data: JSONBody[DeletionBody]
    ) -> OpenedErasures:
        erasures = await delete_account(
            means,
            caller,
            password=Secret(data.password) if data.password else None,
            client=client_of(request),
            platforms=platforms,
            vault=vault,
        )
        return OpenedErasures(erasures)

    return [close_account]
