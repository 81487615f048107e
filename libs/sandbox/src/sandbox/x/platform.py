"""The imitated X as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar, Router

from sandbox.control import create_router as create_control
from sandbox.faults import FaultPlan
from sandbox.truth import Truth
from sandbox.tuning import Tuning
from sandbox.x import hooks, media, oauth, posts, reading
from sandbox.x.answers import OAuthError, Problem, oauth_error, problem
from sandbox.x.platform_state import NAME, XState
from sandbox.x.state import Account, Client

BODY_BYTES_MAX = 20_000_000


class XSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = XState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        # In one router, because several of them share a path with different methods.
        modules = (oauth, posts, media, hooks, reading)
        handlers = [handler for module in modules for handler in module.create_handlers(self.state)]
        return Litestar(
            route_handlers=[Router("/", route_handlers=handlers), create_control(self, self.state.truth)],
            exception_handlers={Problem: problem, OAuthError: oauth_error},
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
        username = str(details.get("username") or "someone")
        defaults = {"id": str(3_000_000_000 + len(self.state.accounts)), "username": username, "name": username}
        account = Account(**(defaults | dict(details)))
        self.state.accounts[account.id] = account
        return asdict(account)

    def expire_access_tokens(self) -> None:
        for family in self.state.families:
            family.access_expires_at = self.state.clock.now()

    def withdraw(self, account_id: str) -> None:
        """As if the person had removed the application in X's own settings."""
        for family in self.state.families:
            if family.account_id == account_id and not family.revoked:
                self.state.end(family, by_application=False)

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """`{"media_error": "InvalidMedia"}`: the next video or GIF cannot be processed."""
        self.state.planned_outcomes.append(dict(details))

    async def stop(self) -> None:
        await self.state.sender.stop()
