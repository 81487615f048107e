"""What platforms tell over HTTP. Nobody signs in here: only a platform's signature over the raw bytes counts."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from platforms.meta.webhooks import CALLBACK_HEADER, DEAUTHORISE, DELETION
from platforms.shape import NoticeKind, PlatformName

from auth.domain.notices import QUERY_CHARACTERS_MAX, WEBHOOK_BYTES_MAX, NoticeRefused
from auth.ports.notices import Hooks
from auth.ports.store import Transactions
from auth.ports.vault import Vault
from auth.use_cases.hearing import hear

AnyRequest = Request[Any, Any, Any]

SIGNATURE_HEADERS = (
    "tiktok-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-li-signature",
    "x-twitter-webhooks-signature",
)
"""All that is read of the headers that come from outside."""


class AcceptedDeletion(msgspec.Struct, frozen=True):
    """The answer that Meta shows to the person."""

    url: str
    confirmation_code: str


def webhook_routes(
    transactions: Transactions, hooks: Hooks, vault: Vault, public_url: str
) -> list[ControllerRouterHandler]:
    async def told(
        request: AnyRequest, platform: str, callback: str | None = None, about: NoticeKind | None = None
    ) -> list[str]:
        headers = {name: request.headers[name] for name in SIGNATURE_HEADERS if name in request.headers}
        if callback is not None:
            headers[CALLBACK_HEADER] = callback
        name, body = _name(platform), await request.body()
        return await hear(transactions, name, headers=headers, body=body, about=about, hooks=hooks, vault=vault)

    @get("/webhooks/{platform:str}", sync_to_thread=False)
    def prove_address(platform: FromPath[str], request: AnyRequest) -> Response[str]:
        if len(request.scope["query_string"]) > QUERY_CHARACTERS_MAX:
            raise NoticeRefused()
        answer = hooks.answer_challenge(_name(platform), dict(request.query_params))
        return Response(answer, media_type=MediaType.JSON if answer.startswith("{") else MediaType.TEXT)

    @post("/webhooks/{platform:str}", status_code=200, request_max_body_size=WEBHOOK_BYTES_MAX)
    async def take_notices(platform: FromPath[str], request: AnyRequest) -> Response[bytes]:
        await told(request, platform)
        return Response(b"", media_type=MediaType.TEXT)

    @post("/webhooks/{platform:str}/deauthorise", status_code=200, request_max_body_size=WEBHOOK_BYTES_MAX)
    async def take_leave(platform: FromPath[str], request: AnyRequest) -> Response[bytes]:
        await told(request, platform, DEAUTHORISE, NoticeKind.AUTHORISATION_REMOVED)
        return Response(b"", media_type=MediaType.TEXT)

    @post("/webhooks/{platform:str}/data-deletion", status_code=200, request_max_body_size=WEBHOOK_BYTES_MAX)
    async def take_deletion(platform: FromPath[str], request: AnyRequest) -> AcceptedDeletion:
        code, *_ = await told(request, platform, DELETION, NoticeKind.ERASURE_REQUESTED)
        return AcceptedDeletion(url=f"{public_url}/deletions/{code}", confirmation_code=code)

    return [prove_address, take_notices, take_leave, take_deletion]


def _name(text: str) -> PlatformName:
    try:
        return PlatformName(text)
    except ValueError:
        raise NoticeRefused() from None
