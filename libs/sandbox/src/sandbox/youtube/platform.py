"""The imitated YouTube as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar

from sandbox.control import create_router as create_control
from sandbox.faults import FaultPlan
from sandbox.truth import Truth
from sandbox.tuning import Tuning
from sandbox.youtube import analytics, channels, comments, hub, oauth, upload, videos
from sandbox.youtube.answers import ApiError, OAuthError, api_error, oauth_error
from sandbox.youtube.platform_state import NAME, YouTubeState
from sandbox.youtube.state import Channel, Client

BODY_BYTES_MAX = 130_000_000


class YouTubeSandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = YouTubeState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        rooms = (oauth, upload, videos, channels, comments, analytics)
        routers = [*(room.create_router(self.state) for room in rooms), hub.create_router(self.state.hub)]
        return Litestar(
            route_handlers=[*routers, create_control(self, self.state.truth)],
            exception_handlers={ApiError: api_error, OAuthError: oauth_error},
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
        """Add a channel; `{"exists": false}` is a Google account without one."""
        handle = str(details.get("handle") or "someone")
        channel = Channel(**({"handle": handle, "title": handle} | dict(details)))
        self.state.add_channel(channel)
        return asdict(channel) | {"channel_id": channel.channel_id}

    def expire_access_tokens(self) -> None:
        for grant in self.state.grants:
            grant.access = dict.fromkeys(grant.access, self.state.clock.now())

    def withdraw(self, channel_id: str) -> None:
        """As if the person had removed the application in their Google account."""
        for grant in self.state.grants:
            if grant.channel_id == channel_id:
                grant.revoked = True

    def delete_video(self, video_id: str) -> None:
        """As if the person had deleted it in YouTube Studio."""
        videos.delete_video(self.state, self.state.videos[video_id])

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """What becomes of the next video: `failure_reason`, `processing_failure_reason` or `rejection_reason`.

        `{"accept_bytes": n}` instead: of the next chunk only so many bytes are kept.
        """
        if "accept_bytes" in details:
            self.state.accept_bytes.append(int(details["accept_bytes"]))
        else:
            self.state.planned_outcomes.append(dict(details))

    async def stop(self) -> None:
        await self.state.hub.stop()
