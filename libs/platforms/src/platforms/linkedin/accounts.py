"""Who can be an author: the person, and the organisations that they may post for.

One token serves all of them. `account_id` is the author's URN, so a grant says by itself in whose name it posts;
`extra` keeps the person's URN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kit.secret import Secret

from platforms.errors import ReauthorisationNeeded
from platforms.linkedin.answers import Acls, Me, Organisation, UserInfo
from platforms.linkedin.api import LinkedInApi
from platforms.linkedin.limits import ACLS_PAGE, ORGANISATIONS_MAX
from platforms.shape import Call, Grant, Profile

PERSON = "person"
_ORGANISATION = "urn:li:organization:"
_ROLES = frozenset({"ADMINISTRATOR", "CONTENT_ADMINISTRATOR"})
"""Roles that may post for an organisation; the one for sponsored content alone may not."""


class Accounts:
    """Satisfies `platforms.composed.Choosing`."""

    def __init__(self, api: LinkedInApi) -> None:
        self._api = api

    async def accounts(self, call: Call) -> Sequence[Profile]:
        """The person where they let us post for them, then their organisations as they are now."""
        person = await self.person(call)
        found = [person] if "w_member_social" in call.grant.scopes else []
        if "w_organization_social" in call.grant.scopes:
            found += [await self._organisation(call, urn, person.account_id) for urn in await self._urns(call)]
        return found

    async def act_for(self, call: Call, account_id: str) -> Grant:
        """The grant for another author. Raises `ReauthorisationNeeded` if the person may not post for it (any more)."""
        person = person_of(call.grant)
        if account_id not in (call.grant.account_id, person) and account_id not in await self._urns(call):
            raise ReauthorisationNeeded("organisation_lost", "the person may not post for this organisation")
        return replace(call.grant, account_id=account_id, extra={PERSON: Secret(person)})

    async def profile(self, call: Call) -> Profile:
        """The author that the grant acts for."""
        if is_organisation(call.grant.account_id):
            return await self._organisation(call, call.grant.account_id, person_of(call.grant))
        return await self.person(call)

    async def person(self, call: Call) -> Profile:
        """Whoever signed in. Two products tell it, each at its own address."""
        if "r_basicprofile" in call.grant.scopes or "openid" not in call.grant.scopes:
            me = await self._api.get_unversioned(call, "me", Me)
            name = f"{me.localized_first_name} {me.localized_last_name}".strip()
            return _profile(f"urn:li:person:{me.id}", me.vanity_name or name, name, None, f"urn:li:person:{me.id}")
        info = await self._api.get_unversioned(call, "userinfo", UserInfo)
        urn = f"urn:li:person:{info.sub}"
        return _profile(urn, info.name, info.name, info.picture, urn)

    async def _urns(self, call: Call) -> list[str]:
        path = f"organizationAcls?q=roleAssignee&state=APPROVED&count={ACLS_PAGE}"
        acls = await self._api.get(call, path, Acls, method="FINDER")
        found = dict.fromkeys(
            acl.urn
            for acl in acls.elements
            if acl.role in _ROLES and acl.state == "APPROVED" and acl.urn.startswith(_ORGANISATION)
        )
        return list(found)[:ORGANISATIONS_MAX]

    async def _organisation(self, call: Call, urn: str, person: str) -> Profile:
        number = urn.removeprefix(_ORGANISATION)
        told = await self._api.get(call, f"organizations/{number}", Organisation)
        return _profile(urn, told.vanity_name or told.localized_name, told.localized_name, None, person)


def is_organisation(account_id: str) -> bool:
    return account_id.startswith(_ORGANISATION)


def person_of(grant: Grant) -> str:
    """The URN of the person behind a grant."""
    kept = grant.extra.get(PERSON)
    return kept.reveal() if kept else grant.account_id


def may_read(grant: Grant) -> bool:
    """True if the author's own posts may be read back. For members LinkedIn has closed that permission."""
    return ("r_organization_social" if is_organisation(grant.account_id) else "r_member_social") in grant.scopes


def _profile(urn: str, handle: str, name: str, avatar: str | None, person: str) -> Profile:
    """`union_id` is the person: ending the grant ends it for all authors of that person."""
    kind = "organization" if is_organisation(urn) else "member"
    return Profile(urn, handle, name, avatar, kind, union_id=person)
