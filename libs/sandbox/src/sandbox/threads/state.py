"""What the imitated Threads knows: accounts, their containers, what was shown of them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from kit.clock import Clock

from sandbox.consent import Choice
from sandbox.meta.answers import absent
from sandbox.meta.clients import Client
from sandbox.meta.dialog import Dialog
from sandbox.meta.graph import Ask, Graph
from sandbox.meta.tokens import TokenKind, Tokens
from sandbox.meta.usage import Usage, UseCase
from sandbox.meta.versions import Versions
from sandbox.meta.webhooks import Webhooks
from sandbox.truth import Post, PostedMedia, Truth
from sandbox.tuning import Tuning

NAME = "threads"
SUNSETS: Mapping[str, date | None] = {"v1.0": None}

BASIC = "threads_basic"
PUBLISH = "threads_content_publish"
INSIGHTS = "threads_manage_insights"
MANAGE_REPLIES = "threads_manage_replies"
READ_REPLIES = "threads_read_replies"
DELETE = "threads_delete"
SCOPES = (
    BASIC,
    PUBLISH,
    INSIGHTS,
    MANAGE_REPLIES,
    READ_REPLIES,
    DELETE,
    "threads_keyword_search",
    "threads_manage_mentions",
    "threads_location_tagging",
    "threads_profile_discovery",
    "threads_share_to_instagram",
)

CONTAINER_KEPT = timedelta(hours=24)
WINDOW = timedelta(hours=24)


@dataclass
class Account:
    """A profile. `tester`: one of the application's own, who alone may look at tokens."""

    user_id: str
    username: str
    name: str
    tester: bool = True
    posts_max: int = 250
    replies_max: int = 1000
    deletes_max: int = 100
    used: dict[str, list[datetime]] = field(default_factory=dict)
    """When posts, replies and deletes were made."""


@dataclass
class Container:
    """What may become a post. `error` is the word it fails with once it would be ready."""

    container_id: str
    account_id: str
    media_type: str
    is_item: bool
    media: tuple[PostedMedia, ...]
    text: str
    about: Mapping[str, Any]
    created_at: datetime
    ready_at: datetime
    error: str | None = None
    unseen: int = 0
    """How many publishing calls will not know it although it is finished."""
    post: Post | None = None

    def status_at(self, now: datetime) -> str:
        if self.post is not None:
            return "PUBLISHED"
        if now - self.created_at >= CONTAINER_KEPT:
            return "EXPIRED"
        if now < self.ready_at:
            return "IN_PROGRESS"
        return "ERROR" if self.error else "FINISHED"


class ThreadsState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        accounts = (
            Account("25000000000000001", "brand_one", "Brand One"),
            Account("25000000000000002", "brand_two", "Brand Two"),
        )
        self.accounts = {account.user_id: account for account in accounts}
        self.tokens = Tokens(clock, self.clients, prefix="THQVJ")
        self.usage = Usage(UseCase("threads", 4, "Threads"))
        self.graph = Graph(
            clock=clock,
            tuning=tuning,
            tokens=self.tokens,
            usage=self.usage,
            versions=Versions(SUNSETS),
            limited_by_account=TokenKind.USER,
        )
        self.webhooks = Webhooks(NAME, clock, tuning)
        self.dialog = Dialog(
            title="Threads",
            path="/oauth/authorize",
            clients=self.clients,
            scopes=SCOPES,
            choices=lambda: [Choice(account.user_id, account.username) for account in self.accounts.values()],
            clock=clock,
            suffix="#_",
            always=(BASIC,),
        )
        self.containers: dict[str, Container] = {}
        self.planned_outcomes: list[dict[str, Any]] = []
        self.ids_as_text = False
        """Tell whose a token is as text; the documentation shows both."""
        self.listing_lag_seconds = 0.0
        """How far the lists of an account are behind."""

    def account_of(self, ask: Ask) -> Account:
        """The account of a path, which is the token's own or, for this token, none."""
        account = self.accounts.get(ask.node)
        if account is None or ask.token.account_id != account.user_id:
            raise absent(ask.node, ask.request.method.lower())
        ask.need(BASIC)
        return account

    def find_post(self, post_id: str) -> Post | None:
        return self.truth.find(NAME, post_id)

    def own_post(self, ask: Ask) -> Post:
        """The post of a path, if it is the token's account's."""
        ask.need(BASIC)
        post = self.find_post(ask.node)
        if post is None or post.account_id != ask.token.account_id:
            raise absent(ask.node, ask.request.method.lower())
        return post

    def used(self, account: Account, what: str) -> int:
        """How many posts, replies or deletes lie within the window."""
        since = self.clock.now() - WINDOW
        account.used[what] = [moment for moment in account.used.get(what, []) if moment > since]
        return len(account.used[what])


def new_id() -> str:
    """Seventeen digits; as a floating-point number it would be another one."""
    return str(17_900_000_000_000_001 + 2 * secrets.randbelow(4 * 10**13))


def shortcode_of(post: Post) -> str:
    """The word of a post in addresses: its number in another form."""
    return base64.urlsafe_b64encode(int(post.post_id).to_bytes(8, "big")).decode().strip("=")


def permalink_of(state: ThreadsState, post: Post) -> str:
    """Threads' short form: the long one begins with the author, where the Graph has its nodes here."""
    return f"{state.base_url}/t/{shortcode_of(post)}"
