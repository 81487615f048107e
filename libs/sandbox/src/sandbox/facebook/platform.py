"""The imitated Facebook as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar

from sandbox.control import create_router as create_control
from sandbox.facebook import oauth, posting, reading, videos
from sandbox.facebook.state import NAME, FacebookState, Page, new_id
from sandbox.faults import FaultPlan
from sandbox.meta.clients import Client
from sandbox.meta.tokens import REMOVED
from sandbox.truth import Truth
from sandbox.tuning import Tuning

BODY_BYTES_MAX = 130_000_000


class FacebookSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = FacebookState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        state = self.state
        for module in (oauth, posting, videos, reading):
            module.add_edges(state)
        return Litestar(
            route_handlers=[
                *state.dialog.create_handlers(),
                videos.create_upload_handler(state),
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
        """A further Page, of the first person unless `user_id` names another."""
        name = str(details.get("name") or "A Page")
        defaults: dict[str, Any] = {
            "page_id": new_id(),
            "name": name,
            "username": name.lower().replace(" ", "."),
            "user_id": next(iter(self.state.people)),
        }
        page = Page(**(defaults | dict(details)))
        self.state.pages[page.page_id] = page
        return asdict(page)

    def expire_access_tokens(self) -> None:
        """Those that can: a Page's token has no end."""
        self.state.tokens.expire()

    def withdraw(self, user_id: str, *, subcode: int = REMOVED) -> None:
        """As if the person had removed the application, or (another subcode) changed their password."""
        self.state.tokens.end(user_id, subcode=subcode)
        if subcode == REMOVED:
            for client_id in list(self.state.people[user_id].granted):
                self.state.people[user_id].granted.pop(client_id)
                self.state.webhooks.deauthorise(self.state.clients[client_id], user_id)

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """`{"processing_error": {"code": …, "message": …}}` or `{"id_never_told": true}` for the next video."""
        self.state.planned_outcomes.append(dict(details))

    async def stop(self) -> None:
        await self.state.webhooks.stop()
