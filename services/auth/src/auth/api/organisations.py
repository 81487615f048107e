"""Organisations over HTTP, for the people who run them."""

from __future__ import annotations

from uuid import UUID

import msgspec
from kit.database import Scope
from kit.passport import Caller, person
from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import OrganisationBody, OrganisationRoleBody
from auth.domain.organisations import OwnOrganisation
from auth.ports.store import Transactions
from auth.use_cases.organisations import (
    ShownOrganisation,
    leave_organisation,
    list_own_organisations,
    open_organisation,
    rename_organisation,
    set_organisation_role,
    show_organisation,
)

_ORGANISATION = "/api/organisations/{organisation_id:uuid}"
_MEMBER = _ORGANISATION + "/members/{account_id:uuid}"


class NewOrganisation(msgspec.Struct, frozen=True):
    organisation_id: UUID


class OwnOrganisations(msgspec.Struct, frozen=True):
    organisations: list[OwnOrganisation]


def organisation_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """Open, see and rename an organisation."""

    @post("/api/organisations", guards=[person()])
    async def open_one(caller: NamedDependency[Caller], data: JSONBody[OrganisationBody]) -> NewOrganisation:
        return NewOrganisation(await open_organisation(transactions, account_id=caller.account, name=data.name))

    @get("/api/organisations", guards=[person()])
    async def show_own(caller: NamedDependency[Caller]) -> OwnOrganisations:
        async with transactions(Scope.account(caller.account)) as store:
            return OwnOrganisations(await list_own_organisations(store, caller.account))

    @get(_ORGANISATION, guards=[person()])
    async def show_one(organisation_id: FromPath[UUID], caller: NamedDependency[Caller]) -> ShownOrganisation:
        async with transactions(Scope.organisation(organisation_id, caller.account)) as store:
            return await show_organisation(store, organisation_id, caller.account)

    @patch(_ORGANISATION, guards=[person()])
    async def rename_one(
        organisation_id: FromPath[UUID], caller: NamedDependency[Caller], data: JSONBody[OrganisationBody]
    ) -> ShownOrganisation:
        async with transactions(Scope.organisation(organisation_id, caller.account)) as store:
            await rename_organisation(store, organisation_id, caller.account, data.name)
            return await show_organisation(store, organisation_id, caller.account)

    return [open_one, show_own, show_one, rename_one]


def organisation_member_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """Say who runs an organisation."""

    @put(_MEMBER, guards=[person()], status_code=204)
    async def let_run(
        organisation_id: FromPath[UUID],
        account_id: FromPath[UUID],
        caller: NamedDependency[Caller],
        data: JSONBody[OrganisationRoleBody],
    ) -> None:
        async with transactions(Scope.organisation(organisation_id, caller.account)) as store:
            await set_organisation_role(store, organisation_id, caller, account_id, data.role)

    @delete(_MEMBER, guards=[person()])
    async def take_out(
        organisation_id: FromPath[UUID], account_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> None:
        async with transactions(Scope.organisation(organisation_id, caller.account)) as store:
            await leave_organisation(store, organisation_id, caller, account_id)

    return [let_run, take_out]
