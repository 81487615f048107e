"""Pass a client's request on to the service that owns it, in the name of who sent it."""

from __future__ import annotations

from uuid import UUID

from kit.problems import Unauthenticated
from kit.secret import Secret

from gateway.domain.routes import Access, Route
from gateway.ports import ForwardedRequest, OwnerAnswer, Owners, Sessions


async def forward_request(
    request: ForwardedRequest,
    *,
    route: Route,
    session_token: Secret | None,
    workspace_id: UUID | None,
    sessions: Sessions,
    owners: Owners,
) -> OwnerAnswer:
    """The owner's answer. Who has no session gets no further than here on a route that needs one."""
    passport = sessions.own_passport() if route.owner == "auth" else None
    if route.access is not Access.OPEN:
        if session_token is None:
            raise Unauthenticated()
        named = workspace_id if route.access is Access.WORKSPACE else None
        passport = await sessions.passport(session_token, workspace_id=named)
    return await owners.send(route.owner, request, passport=passport)
