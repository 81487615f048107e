"""The imitated Threads as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar

from sandbox.control import create_router as create_control
from sandbox.faults import FaultPlan
from sandbox.meta.clients import Client
from sandbox.threads import containers, oauth, reading
from sandbox.threads.state import NAME, Account, ThreadsState, new_id
from sandbox.truth import Truth
from sandbox.tuning import Tuning

BODY_BYTES_MAX = 1_000_000
"""No file comes in a body."""


class ThreadsSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = ThreadsState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        state = self.state
        for module in (oauth, containers, reading):
            module.add_edges(state)
        return Litestar(
            route_handlers=[
                *state.dialog.create_handlers(),
                *reading.create_pages(state),
                *state.graph.create_handlers(),
                create_control(self, state.truth),
            ],
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
        account = Account(**({"user_id": new_id(), "username": username, "name": username} | dict(details)))
        self.state.accounts[account.user_id] = account
        return asdict(account)

    def expire_access_tokens(self) -> None:
        self.state.tokens.expire()

    def withdraw(self, user_id: str, *, delete: bool = False) -> None:
        """As if the person had removed the application in Threads' settings, and asked for deletion besides."""
        for client_id in {token.client_id for token in self.state.tokens.of(user_id)}:
            client = self.state.clients[client_id]
            self.state.webhooks.deauthorise(client, user_id)
            if delete:
                self.state.webhooks.ask_for_deletion(client, user_id)
        self.state.tokens.end(user_id)

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """For the next container: the word it fails with, that it is never ready, its time of processing, or how
        often publishing will not know it: `{"error_message": …}`, `{"stuck": true}`, `{"seconds": 5}`, `{"unseen": 2}`.
        """
        self.state.planned_outcomes.append(dict(details))

    async def stop(self) -> None:
        await self.state.webhooks.stop()
