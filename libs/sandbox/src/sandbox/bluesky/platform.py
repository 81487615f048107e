"""The imitated Bluesky as a whole: its application and the hooks the sandbox needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from email.utils import format_datetime
from typing import Any, ClassVar

from kit.clock import Clock
from litestar import Litestar, Response

from sandbox.bluesky import appview, identity, oauth, repo, sessions, writes
from sandbox.bluesky.answers import AnyRequest, OAuthError, XrpcError, json_response
from sandbox.bluesky.dpop import ProofChecker
from sandbox.bluesky.state import NAME, Account, BlueskyState, Client
from sandbox.bluesky.video import VideoService
from sandbox.bluesky.xrpc import Methods
from sandbox.control import create_router as create_control
from sandbox.faults import FaultPlan
from sandbox.truth import Truth
from sandbox.tuning import Tuning

BODY_BYTES_MAX = 64 * 1024 * 1024


class BlueskySandbox:
    """Satisfies `sandbox.shape.ImitatedPlatform`."""

    name: ClassVar[str] = NAME

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.state = BlueskyState(base_url=base_url, clock=clock, truth=truth, tuning=tuning)
        self.proofs = ProofChecker(base_url, clock, tuning)
        self.video = VideoService(self.state)
        self.faults = FaultPlan()
        self.faults.expire_tokens = self.expire_access_tokens

    def create_app(self) -> Litestar:
        methods = Methods()
        sessions.add_methods(methods, self.state, self.proofs)
        repo.add_methods(methods, self.state, self.proofs)
        writes.add_methods(methods, self.state, self.proofs)
        appview.add_methods(methods, self.state)
        self.video.add_methods(methods)
        return Litestar(
            route_handlers=[
                identity.create_router(methods, self.state),
                oauth.create_router(self.state, self.proofs),
                *methods.create_routes(),
                appview.create_permalinks(self.state),
                create_control(self, self.state.truth),
            ],
            exception_handlers={XrpcError: self._answer_error, OAuthError: self._answer_error},
            after_request=self._add_headers,
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
        handle = str(details.get("handle") or "someone.test")
        account = Account(**({"handle": handle, "display_name": handle} | dict(details)))
        self.state.accounts[account.did] = account
        return asdict(account)

    def expire_access_tokens(self) -> None:
        for session in self.state.sessions:
            session.access_expires_at = self.state.clock.now()

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """`{"blocked": error name or null, "account": DID}`, the same with `videos_refused`, and `video_failure`."""
        did = str(details.get("account", ""))
        if "blocked" in details:
            self.state.accounts[did].blocked = str(details["blocked"]) if details["blocked"] else None
        if "videos_refused" in details:
            self.video.refusals[did] = str(details["videos_refused"] or "")
        if "video_failure" in details:
            self.video.next_failure = str(details["video_failure"])

    async def stop(self) -> None:
        """Nothing runs in the background."""

    def _answer_error(self, _: AnyRequest, error: XrpcError | OAuthError) -> Response[bytes]:
        headers = self._every_answer()
        if isinstance(error, XrpcError):
            headers |= error.headers
        return json_response(error.document, status=error.status, headers=headers)

    def _add_headers(self, response: Response[Any]) -> Response[Any]:
        response.headers.update(self._every_answer())
        return response

    def _every_answer(self) -> dict[str, str]:
        """Every answer may bring the next nonce; these all do. And each says what time it is here."""
        return {"DPoP-Nonce": self.proofs.nonce(), "Date": format_datetime(self.state.clock.now(), usegmt=True)}
