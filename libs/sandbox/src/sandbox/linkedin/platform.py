"""The imitated LinkedIn as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar

from sandbox.control import create_router as create_control
from sandbox.faults import FaultPlan
from sandbox.linkedin import media, oauth, people, posts, social, webhooks
from sandbox.linkedin.answers import ApiError, on_error
from sandbox.linkedin.state import NAME, Client, LinkedInState, Person
from sandbox.truth import Truth
from sandbox.tuning import Tuning

BODY_BYTES_MAX = 101_000_000


class LinkedInSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = LinkedInState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens
        self._sender = webhooks.Sender(self.state)

    def create_app(self) -> Litestar:
        rooms = (oauth, people, posts, media, webhooks)
        return Litestar(
            route_handlers=[
                *(room.create_router(self.state) for room in rooms),
                social.create_router(self.state, self._sender.tell_comment),
                posts.create_permalinks(self.state),
                create_control(self, self.state.truth),
            ],
            exception_handlers={ApiError: on_error, oauth.OAuthError: oauth.on_error},
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
        """A person; `roles` names their role in organisations by number."""
        person = Person(**({"handle": "someone"} | dict(details)))
        self.state.add_person(person)
        return asdict(person) | {"account_id": person.urn}

    def expire_access_tokens(self) -> None:
        for grant in self.state.grants:
            grant.access_expires_at = self.state.clock.now()

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """How the next file or post ends: `{"media": "PROCESSING_FAILED"}`, `{"lifecycle": "PUBLISH_FAILED"}`,
        `{"publish_seconds": n}`."""
        if "media" in details:
            self.state.planned_media.append(str(details["media"]))
        else:
            self.state.planned_posts.append(dict(details))

    async def stop(self) -> None:
        await self._sender.stop()
