"""The imitated registration of webhooks and of what they are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sandbox.x.answers import AnyRequest, Problem, data, whole
from sandbox.x.media import decode
from sandbox.x.platform_state import XState
from sandbox.x.state import Subscription, Webhook
from sandbox.x.webhooks import passes_challenge


class NewWebhook(msgspec.Struct):
    url: Annotated[str, Meta(min_length=1, max_length=200, pattern="^https?://")]


class Filter(msgspec.Struct, forbid_unknown_fields=True):
    user_id: str


class NewSubscription(msgspec.Struct, forbid_unknown_fields=True):
    event_type: Literal["post.create", "post.delete", "oauth.revoke"]
    filter: Filter
    webhook_id: str
    tag: str | None = None


def create_handlers(state: XState) -> list[HTTPRouteHandler]:
    return [*_webhooks(state), *_subscriptions(state)]


def _webhooks(state: XState) -> list[HTTPRouteHandler]:
    @post("/2/webhooks", status_code=200)
    async def register(request: AnyRequest) -> Response[bytes]:
        """Unlike the real one it also takes an address on this machine."""
        client = state.admit_application(request)
        url = decode(await request.body(), NewWebhook).url
        if any(each.url == url for each in state.webhooks.values()):
            raise Problem(400, "The address is registered already.", "conflict", title="DuplicateUrlFailed")
        if not await passes_challenge(url, client.consumer_secret):
            raise Problem(400, "Crc validation failed.", "invalid-request", title="CrcValidationFailed")
        webhook = Webhook(state.new_id(), url, client.client_id, state.clock.now())
        state.webhooks[webhook.id] = webhook
        return data(request, _shown(webhook))

    @get("/2/webhooks", sync_to_thread=False)
    def listing(request: AnyRequest) -> Response[bytes]:
        client = state.admit_application(request)
        mine = [_shown(each) for each in state.webhooks.values() if each.client_id == client.client_id]
        return whole(request, {"data": mine, "meta": {"result_count": len(mine)}})

    @put("/2/webhooks/{webhook_id:str}", status_code=200)
    async def validate(request: AnyRequest) -> Response[bytes]:
        client = state.admit_application(request)
        webhook = _find(state, str(request.path_params["webhook_id"]))
        webhook.valid = await passes_challenge(webhook.url, client.consumer_secret)
        return data(request, {"valid": webhook.valid})

    @delete("/2/webhooks/{webhook_id:str}", status_code=200, sync_to_thread=False)
    def remove(request: AnyRequest) -> Response[bytes]:
        state.admit_application(request)
        del state.webhooks[_find(state, str(request.path_params["webhook_id"])).id]
        return data(request, {"deleted": True})

    return [register, listing, validate, remove]


def _subscriptions(state: XState) -> list[HTTPRouteHandler]:
    @post("/2/activity/subscriptions", status_code=200)
    async def subscribe(request: AnyRequest) -> Response[bytes]:
        state.admit_application(request)
        asked = decode(await request.body(), NewSubscription)
        webhook = _find(state, asked.webhook_id)
        made = Subscription(
            state.new_id(), webhook.id, asked.event_type, asked.filter.user_id, asked.tag, state.clock.now()
        )
        state.subscriptions[made.id] = made
        return data(request, {"subscription": _told(made)})

    @get("/2/activity/subscriptions", sync_to_thread=False)
    def listing(request: AnyRequest) -> Response[bytes]:
        state.admit_application(request)
        return data(request, [_told(each) for each in state.subscriptions.values()])

    return [subscribe, listing]


def _find(state: XState, webhook_id: str) -> Webhook:
    webhook = state.webhooks.get(webhook_id)
    if webhook is None:
        raise Problem(404, "There is no such webhook.", "resource-not-found", resource_type="webhook")
    return webhook


def _shown(webhook: Webhook) -> dict[str, Any]:
    created_at = webhook.created_at.isoformat()
    return {"id": webhook.id, "url": webhook.url, "valid": webhook.valid, "created_at": created_at}


def _told(subscription: Subscription) -> dict[str, Any]:
    named = {"tag": subscription.tag} if subscription.tag else {}
    return {
        "subscription_id": subscription.id,
        "event_type": subscription.event_type,
        "filter": {"user_id": subscription.user_id},
        "webhook_id": subscription.webhook_id,
        "created_at": subscription.created_at.isoformat(),
    } | named
