"""The imitated TikTok as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar, Response

from sandbox.control import create_router as create_control
from sandbox.faults import CONTROL_PREFIX, FaultPlan
from sandbox.tiktok import display, oauth, photos, posting, upload
from sandbox.tiktok.answers import AnyRequest, ApiError, OAuthError, api_error, oauth_error
from sandbox.tiktok.platform_state import NAME, TikTokState
from sandbox.tiktok.state import Account, Client
from sandbox.truth import Truth
from sandbox.tuning import Tuning

BODY_BYTES_MAX = 130_000_000


class TikTokSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = TikTokState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        routers = [module.create_router(self.state) for module in (oauth, posting, upload, photos, display)]
        return Litestar(
            route_handlers=[*routers, create_control(self, self.state.truth)],
            exception_handlers={ApiError: api_error, OAuthError: oauth_error},
            before_request=_refuse_without_slash,
            request_max_body_size=BODY_BYTES_MAX,
            openapi_config=None,
            logging_config=None,
            debug=True,
        )

    def register_client(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        client = Client(**details)
        self.state.clients[client.client_key] = client
        return asdict(client)

    def register_account(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        username = str(details.get("username") or "someone")
        defaults = {"open_id": f"sandbox-open-id-{username}", "username": username, "display_name": username}
        account = Account(**(defaults | dict(details)))
        self.state.accounts[account.open_id] = account
        return asdict(account)

    def expire_access_tokens(self) -> None:
        for grant in self.state.grants:
            grant.access_expires_at = self.state.clock.now()

    def withdraw(self, open_id: str, *, reason: int = 1) -> None:
        """As if the person had removed the application in TikTok's own settings."""
        for grant in self.state.grants:
            if grant.open_id == open_id and not grant.revoked:
                self.state.end(grant, reason=reason)

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """`{"fail_reason": …}` or `{"id_never_told": true}` for the next post that is started."""
        self.state.planned_outcomes.append(dict(details))

    async def stop(self) -> None:
        await self.state.stop()


def _refuse_without_slash(request: AnyRequest) -> Response[bytes] | None:
    """Every path of TikTok's API ends with a slash; a client that forgets it must notice here."""
    # Litestar has cut the slash off the path by now; the raw one is as it was sent.
    path = request.scope["raw_path"]
    if path.endswith(b"/") or path.startswith((CONTROL_PREFIX.encode(), b"/@", b"/%40")):
        return None
    return Response(b"404 page not found", status_code=404)
