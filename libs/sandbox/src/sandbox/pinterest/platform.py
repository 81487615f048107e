"""The imitated Pinterest as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar

from sandbox.control import create_router as create_control
from sandbox.faults import FaultPlan
from sandbox.pinterest import analytics, boards, media, oauth, pins
from sandbox.pinterest.answers import ApiError, on_error
from sandbox.pinterest.state import NAME, Account, Client, PinterestState
from sandbox.truth import Truth
from sandbox.tuning import Tuning

BODY_BYTES_MAX = 130_000_000


class PinterestSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = PinterestState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        rooms = (boards, pins, media, analytics)
        return Litestar(
            route_handlers=[
                oauth.create_pages(self.state),
                oauth.create_endpoints(self.state),
                *(room.create_router(self.state) for room in rooms),
                pins.create_permalinks(self.state),
                create_control(self, self.state.truth),
            ],
            exception_handlers={ApiError: on_error},
            request_max_body_size=BODY_BYTES_MAX,
            openapi_config=None,
            logging_config=None,
            debug=True,
        )

    def register_client(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        client = Client(**details)
        self.state.clients[client.client_id] = client
        return asdict(client)

    def register_account(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        account = Account(**({"username": str(details.get("handle") or "someone")} | dict(details)))
        self.state.add_account(account)
        return asdict(account) | {"account_id": account.account_id}

    def expire_access_tokens(self) -> None:
        for grant in self.state.grants:
            grant.access_expires_at = self.state.clock.now()

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """How the next video's processing ends: `{"status": "failed"}`."""
        self.state.planned_media.append(str(details["status"]))

    async def stop(self) -> None:
        """Nothing runs in the background."""
