"""Pass a client's request on to the service that owns it, in the name of who sent it."""

from __future__ import annotations

from uuid import UUID

from kit.problems import Unauthenticated

from gateway.domain.credentials import Credential
from gateway.domain.routes import Access, Route
from gateway.ports import ForwardedRequest, OwnerAnswer, Owners, Sessions


async def forward_request(
    request: ForwardedRequest,
    *,
    route: Route,
    credential: Credential | None,
    workspace_id: UUID | None,
    sessions: Sessions,
    owners: Owners,
) -> OwnerAnswer:
    """The owner's answer. Who shows nothing gets no further than here on a route that needs it."""
    passport = sessions.own_passport() if route.owner == "auth" else None
    if route.access is not Access.OPEN:
        if credential is None:
            raise Unauthenticated()
        named = workspace_id if route.access is Access.WORKSPACE else None
        passport = await sessions.passport(credential, workspace_id=named)
    return await owners.send(route.owner, request, passport=passport)
