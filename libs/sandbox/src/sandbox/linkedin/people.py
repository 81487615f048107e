"""The imitated members and organisations, as they show themselves."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import draw
from sandbox.linkedin.answers import AnyRequest, ApiError, denied, document, gone
from sandbox.linkedin.state import LinkedInState


def create_router(state: LinkedInState) -> Router:
    return Router("/", route_handlers=[*_members(state), *_organisations(state)])


def _members(state: LinkedInState) -> list[HTTPRouteHandler]:
    @get("/v2/userinfo", sync_to_thread=False)
    def userinfo(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request)
        if not {"openid", "profile"} <= set(grant.scopes):
            raise denied("userinfo.GET.NO_VERSION")
        person = state.people[grant.person]
        told = {"given_name": person.given_name, "family_name": person.family_name, "locale": "en-US"}
        name = f"{person.given_name} {person.family_name}"
        picture = f"{state.base_url}/avatar/{person.handle}"
        return document({"sub": person.urn.rpartition(":")[2], "name": name, "picture": picture} | told)

    @get("/v2/me", sync_to_thread=False)
    def me(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request)
        if "r_basicprofile" not in grant.scopes:
            raise denied("me.GET.NO_VERSION")
        person = state.people[grant.person]
        told = {"localizedFirstName": person.given_name, "localizedLastName": person.family_name}
        return document({"id": person.urn.rpartition(":")[2], "vanityName": person.handle} | told)

    return [userinfo, me]


def _organisations(state: LinkedInState) -> list[HTTPRouteHandler]:
    @get("/rest/organizationAcls", sync_to_thread=False)
    def acls(request: AnyRequest) -> Response[bytes]:
        grant, query = state.admit(request), request.query_params
        if "rw_organization_admin" not in grant.scopes:
            raise denied("organizationAcls.FINDER-roleAssignee")
        if query.get("q") != "roleAssignee":
            raise ApiError(400, "ILLEGAL_ARGUMENT", "There is no such finder")
        wanted = query.get("role")
        roles = {n: r for n, r in state.people[grant.person].roles.items() if wanted in (None, r)}
        elements = [_acl(grant.person, number, role) for number, role in roles.items()]
        start, count = int(query.get("start", "0")), int(query.get("count", "10"))
        paging = {"start": start, "count": count, "links": []}
        return document({"elements": elements[start : start + count], "paging": paging})

    @get("/rest/organizations/{number:str}", sync_to_thread=False)
    def organisation(request: AnyRequest) -> Response[bytes]:
        grant, number = state.admit(request), str(request.path_params["number"])
        known = state.organisations.get(number)
        if known is None:
            raise gone("organization")
        if number not in state.people[grant.person].roles or "rw_organization_admin" not in grant.scopes:
            raise denied("organizations.GET")
        told = {"localizedName": known.name, "vanityName": known.vanity_name}
        return document({"id": int(known.number), **told})

    @get("/rest/networkSizes/{urn:str}", sync_to_thread=False)
    def followers(request: AnyRequest) -> Response[bytes]:
        state.admit(request)
        return document({"firstDegreeSize": draw(str(request.path_params["urn"]), "followers") % 10_000})

    return [acls, organisation, followers]


def _acl(person: str, number: str, role: str) -> dict[str, Any]:
    return {
        "role": role,
        "state": "APPROVED",
        "organization": f"urn:li:organization:{number}",
        "roleAssignee": person,
    }
