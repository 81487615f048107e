"""Open an organisation, and say who runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import Forbidden, NotFound, Unauthenticated

from auth.domain.organisations import (
    OWNED_MAX,
    PEOPLE_MAX,
    NotOfOrganisation,
    OrganisationFull,
    OrganisationMember,
    OrganisationRole,
    OwnedWorkspace,
    OwnOrganisation,
    TooManyOrganisations,
    the_only,
)
from auth.domain.workspaces import LastOwner
from auth.ports.store import Store, Transactions
from auth.use_cases.presence import check_recent


@dataclass(frozen=True)
class ShownOrganisation:
    """An organisation with all that those who run it see."""

    organisation_id: UUID
    name: str
    role: str
    members: list[OrganisationMember]
    workspaces: list[OwnedWorkspace]


async def open_organisation(transactions: Transactions, *, account_id: UUID, name: str) -> UUID:
    """A new organisation's id; whoever opens it owns it."""
    organisation_id = new_id()
    async with transactions(Scope.organisation(organisation_id, account_id)) as store:
        await _hold_person(store, account_id)
        await _open(store, organisation_id, account_id, name, await store.organisations.of_account(account_id))
    return organisation_id


async def organisation_for(
    transactions: Transactions, *, account_id: UUID, organisation_id: UUID | None, name: str
) -> UUID:
    """The organisation a new workspace belongs to: the one asked for, or the person's only one, or their first.

    A first one is named after their company, or else `name`. Raises `Forbidden` for an organisation that they do not
    run, `Invalid` if there are several to choose from.
    """
    fresh_id = new_id()
    async with transactions(Scope.organisation(fresh_id, account_id)) as store:
        company = await _hold_person(store, account_id)
        own = list(await store.organisations.of_account(account_id))
        if organisation_id is not None:
            if organisation_id not in {each.organisation_id for each in own}:
                raise Forbidden("organisation.admin")
            return organisation_id
        only = the_only(own)
        if only is None:
            await _open(store, fresh_id, account_id, company or name, own)
        return only.organisation_id if only else fresh_id


async def _hold_person(store: Store, account_id: UUID) -> str | None:
    """The company of the person, who does nothing else of this kind meanwhile."""
    if not await store.organisations.hold_person(account_id):
        raise Unauthenticated()
    account = await store.accounts.find(account_id)
    return account.company if account else None


async def _open(
    store: Store, organisation_id: UUID, account_id: UUID, name: str, own: Sequence[OwnOrganisation]
) -> None:
    if sum(each.role == OrganisationRole.OWNER for each in own) >= OWNED_MAX:
        raise TooManyOrganisations()
    now = store.now()
    await store.organisations.add(organisation_id, name=name, at=now)
    await store.organisations.set_role(organisation_id, account_id, OrganisationRole.OWNER, at=now)


async def list_own_organisations(store: Store, account_id: UUID) -> list[OwnOrganisation]:
    return list(await store.organisations.of_account(account_id))


async def show_organisation(store: Store, organisation_id: UUID, account_id: UUID) -> ShownOrganisation:
    for own in await store.organisations.of_account(account_id):
        if own.organisation_id == organisation_id:
            return ShownOrganisation(
                organisation_id,
                own.name,
                own.role,
                list(await store.organisations.members(organisation_id)),
                list(await store.organisations.workspaces(organisation_id)),
            )
    raise NotFound()


async def rename_organisation(store: Store, organisation_id: UUID, account_id: UUID, name: str) -> None:
    await _check_owner(store, organisation_id, account_id)
    await store.organisations.rename(organisation_id, name)


async def set_organisation_role(
    store: Store, organisation_id: UUID, caller: Caller, account_id: UUID, role: OrganisationRole
) -> None:
    """Let a person who works in one of its workspaces run the organisation, or change as what they do."""
    await _check_owner(store, organisation_id, caller.account)
    await check_recent(store, caller)
    present = await store.organisations.role_of(organisation_id, account_id)
    if present is None and not await store.organisations.works_for(account_id, organisation_id):
        raise NotOfOrganisation()
    members = await store.organisations.members(organisation_id)
    if present is None and len(members) >= PEOPLE_MAX:
        raise OrganisationFull()
    if role is not OrganisationRole.OWNER:
        _check_another_owner(members, account_id)
    await store.organisations.set_role(organisation_id, account_id, role, at=store.now())


async def leave_organisation(store: Store, organisation_id: UUID, caller: Caller, account_id: UUID) -> None:
    """Take a person out of those who run it: oneself, or as its owner anybody."""
    if not await store.organisations.hold(organisation_id):
        raise NotFound()
    if account_id != caller.account:
        await _check_owner(store, organisation_id, caller.account)
    if await store.organisations.role_of(organisation_id, account_id) is None:
        raise NotFound()
    _check_another_owner(await store.organisations.members(organisation_id), account_id)
    await store.organisations.remove(organisation_id, account_id)


async def _check_owner(store: Store, organisation_id: UUID, account_id: UUID) -> None:
    """Hold the organisation for its owner. Who does not run it learns nothing of it."""
    await store.organisations.hold(organisation_id)
    role = await store.organisations.role_of(organisation_id, account_id)
    if role is None:
        raise NotFound()
    if role is not OrganisationRole.OWNER:
        raise Forbidden("organisation.owner")


def _check_another_owner(members: Sequence[OrganisationMember], account_id: UUID) -> None:
    owners = {member.account_id for member in members if member.role == OrganisationRole.OWNER}
    if owners == {account_id}:
        raise LastOwner()
