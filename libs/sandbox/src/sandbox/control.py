"""The sandbox's own HTTP interface under `/_sandbox`, the same on every platform's port.

It is how another process (the demo, a test of the whole system) plans faults, adds accounts and looks at
the truth. A test in the same process uses the objects directly.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Router, delete, get, post
from litestar.datastructures import State
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler

from sandbox.faults import CONTROL_PREFIX, Fault
from sandbox.shape import ImitatedPlatform
from sandbox.truth import Truth

AnyRequest = Request[Any, Any, State]


def create_router(platform: ImitatedPlatform, truth: Truth) -> Router:
    """Routes over one platform's state."""
    return Router(CONTROL_PREFIX, route_handlers=[*_looking(platform, truth), *_changing(platform)])


def _looking(platform: ImitatedPlatform, truth: Truth) -> list[HTTPRouteHandler]:
    """What truly happened."""

    @get("/posts", sync_to_thread=False)
    def posts(request: AnyRequest) -> list[dict[str, Any]]:
        return [entry.to_json() for entry in truth.posts(platform.name, request.query_params.get("account"))]

    @get("/revocations", sync_to_thread=False)
    def revocations() -> list[dict[str, Any]]:
        return [entry.to_json() for entry in truth.revocations(platform.name)]

    @get("/requests", sync_to_thread=False)
    def requests() -> dict[str, int]:
        return dict(platform.faults.requests)

    return [posts, revocations, requests]


def _changing(platform: ImitatedPlatform) -> list[HTTPRouteHandler]:
    """Faults, credentials, accounts, outcomes."""

    @post("/faults", status_code=201)
    async def add_fault(request: AnyRequest) -> None:
        platform.faults.add(_decode(await request.body(), Fault))

    @delete("/faults", sync_to_thread=False)
    def clear_faults() -> None:
        platform.faults.clear()

    @post("/clients", status_code=201)
    async def add_client(request: AnyRequest) -> dict[str, Any]:
        return dict(platform.register_client(_decode(await request.body(), dict[str, Any])))

    @post("/accounts", status_code=201)
    async def add_account(request: AnyRequest) -> dict[str, Any]:
        return dict(platform.register_account(_decode(await request.body(), dict[str, Any])))

    @post("/expire-tokens", status_code=204, sync_to_thread=False)
    def expire_tokens() -> None:
        platform.expire_access_tokens()

    @post("/next-outcome", status_code=204)
    async def next_outcome(request: AnyRequest) -> None:
        platform.plan_outcome(_decode(await request.body(), dict[str, Any]))

    return [add_fault, clear_faults, add_client, add_account, expire_tokens, next_outcome]


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValidationException(str(error)) from error
