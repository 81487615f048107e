"""The imitated X's state in one place, with the checks every API call begins with."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from kit.clock import Clock

from sandbox.truth import Post, Truth
from sandbox.tuning import Tuning
from sandbox.x.answers import LIMIT_HEADERS, RENAMED, AnyRequest, Problem
from sandbox.x.state import (
    WINDOW_SECONDS,
    Account,
    Asked,
    Client,
    Code,
    Family,
    File,
    Subscription,
    Webhook,
    Windows,
)
from sandbox.x.webhooks import Sender

NAME = "x"
EPOCH_MILLISECONDS = 1_288_834_974_657
POSTS_PER_DAY = 10_000
DAY_SECONDS = 86_400


class XState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        defaults = (
            Account("2244994945", "brand_one", "Brand One"),
            Account("2244994946", "brand_two", "Brand Two", "blue", "Premium"),
        )
        self.accounts = {account.id: account for account in defaults}
        self.asked: dict[str, Asked] = {}
        self.codes: dict[str, Code] = {}
        self.families: list[Family] = []
        self.app_tokens: dict[str, str] = {}
        self.files: dict[str, File] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.planned_outcomes: list[dict[str, object]] = []
        self.windows = Windows(WINDOW_SECONDS)
        self.days = Windows(DAY_SECONDS)
        self.sender = Sender(tuning)
        self.no_credits = False
        self.renamed = False
        """Answer with the names of 2026: posts instead of tweets."""
        self.needs_finalise_body = False
        """As live servers did for a while in 2026."""
        self.list_lag_seconds = 0.0
        self.posts_per_day = POSTS_PER_DAY
        self._sequence = 0

    def new_id(self) -> str:
        """A number that holds the time of its making, larger than every one before."""
        milliseconds = int(self.clock.now().timestamp() * 1000) - EPOCH_MILLISECONDS
        self._sequence += 1
        return str((milliseconds << 22) + self._sequence)

    def family_of(self, token: str) -> Family | None:
        return next((each for each in self.families if each.access_token == token and not each.revoked), None)

    def end(self, family: Family, *, by_application: bool) -> None:
        """The tokens die at once; a person's own withdrawal is told to the application."""
        family.revoked = True
        if by_application:
            self.truth.revoked(NAME, account_id=family.account_id, client_id=family.client_id)
        else:
            self.tell("oauth.revoke", family.account_id, {"user_id": family.account_id})

    def admit(self, request: AnyRequest, endpoint: str, limit: int, *scopes: str, daily: bool = False) -> Family:
        """The tokens behind a user's call, if they are alive, suffice, and are within their limits."""
        request.scope[RENAMED] = self.renamed  # type: ignore[literal-required]
        now = self.clock.now()
        token = _bearer(request)
        if token in self.app_tokens:
            raise Problem(
                403, "Authenticating with OAuth 2.0 Application-Only is forbidden here.", "unsupported-authentication"
            )
        family = self.family_of(token)
        if family is None or family.access_expires_at <= now:
            raise Problem(401, "Unauthorized")
        if not set(scopes) <= set(family.scopes):
            raise Problem(403, "Your token lacks a required scope.", "oauth1-permissions")
        self._count(request, family.account_id, endpoint, limit, daily=daily)
        if self.no_credits:
            detail = f"Your enrolled account [{family.client_id}] does not have any credits to fulfill this request."
            raise Problem(402, detail, "credits", title="CreditsDepleted")
        if self.accounts[family.account_id].suspended:
            raise Problem(403, "Your account is suspended and is not permitted to access this feature.")
        return family

    def admit_application(self, request: AnyRequest) -> Client:
        request.scope[RENAMED] = self.renamed  # type: ignore[literal-required]
        client_id = self.app_tokens.get(_bearer(request))
        if client_id is None:
            raise Problem(401, "Unauthorized")
        return self.clients[client_id]

    def posts_of(self, account_id: str) -> list[Post]:
        return self.truth.posts(NAME, account_id)

    def post(self, post_id: str) -> Post | None:
        return self.truth.find(NAME, post_id)

    def tell(self, event_type: str, user_id: str, payload: dict[str, object]) -> None:
        """Send an event to everybody who wants it: subscribed webhooks, and the sandbox's own address for events."""
        targets = [
            (self.webhooks[each.webhook_id].url, self.clients[self.webhooks[each.webhook_id].client_id], each.tag)
            for each in self.subscriptions.values()
            if (each.event_type, each.user_id) == (event_type, user_id) and each.webhook_id in self.webhooks
        ]
        for client in self.clients.values():
            url = client.webhook_url or self.tuning.webhook_url_of(NAME)
            if url and not targets:
                targets.append((url, client, None))
        event = {"event_uuid": self.new_id(), "filter": {"user_id": user_id}, "event_type": event_type}
        for url, client, tag in targets:
            named = {"tag": tag} if tag else {}
            self.sender.send(url, client.consumer_secret, {"data": event | named | {"payload": payload}})

    def application_token(self, client: Client) -> str:
        token = "AAAA" + secrets.token_urlsafe(60)
        self.app_tokens[token] = client.client_id
        return token

    def _count(self, request: AnyRequest, caller: str, endpoint: str, limit: int, *, daily: bool) -> None:
        now: datetime = self.clock.now()
        calls, reset = self.windows.count(caller, endpoint, now)
        headers = _limit_headers("x-rate-limit", limit, calls, reset)
        exceeded = calls > limit
        if daily:
            calls, reset = self.days.count(caller, endpoint, now)
            headers |= _limit_headers("x-user-limit-24hour", self.posts_per_day, calls, reset)
            exceeded = exceeded or calls > self.posts_per_day
        request.scope[LIMIT_HEADERS] = headers  # type: ignore[literal-required]
        if exceeded and self.tuning.rate_limits:
            raise Problem(429, "Too Many Requests")


def basic_credentials(request: AnyRequest) -> tuple[str, str] | None:
    """Id and secret from a header, if there is one that can be read."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind != "Basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return None
    return client_id, secret


def _bearer(request: AnyRequest) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


def _limit_headers(name: str, limit: int, calls: int, reset: int) -> dict[str, str]:
    return {f"{name}-limit": str(limit), f"{name}-remaining": str(max(limit - calls, 0)), f"{name}-reset": str(reset)}
