"""What the imitated Instagram knows: professional accounts, their containers, what was published of them."""

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

NAME = "instagram"
SUNSETS: Mapping[str, date | None] = {"v24.0": None, "v25.0": None, "v26.0": None}

BASIC = "instagram_business_basic"
PUBLISH = "instagram_business_content_publish"
INSIGHTS = "instagram_business_manage_insights"
COMMENTS = "instagram_business_manage_comments"
SCOPES = (BASIC, PUBLISH, INSIGHTS, COMMENTS, "instagram_business_manage_messages")

CONTAINER_KEPT = timedelta(hours=24)
STORY_KEPT = timedelta(hours=24)
WINDOW = timedelta(hours=24)


@dataclass
class Account:
    """A professional account. `person_id` is its number in the application, which only callbacks about people say."""

    user_id: str
    person_id: str
    username: str
    name: str
    account_type: str = "Business"
    quota_total: int = 50
    subscribed: dict[str, list[str]] = field(default_factory=dict)
    """Webhook fields by application."""


@dataclass
class Container:
    """What may become a post. `error` is the number it fails with once it would be ready."""

    container_id: str
    account_id: str
    kind: str
    """IMAGE, REELS, STORIES, CAROUSEL, or CHILD of a carousel."""
    media: tuple[PostedMedia, ...]
    caption: str
    about: Mapping[str, Any]
    created_at: datetime
    ready_at: datetime
    error: int | None = None
    published: bool = False

    def status_at(self, now: datetime) -> str:
        if self.published:
            return "PUBLISHED"
        if now - self.created_at >= CONTAINER_KEPT:
            return "EXPIRED"
        if now < self.ready_at:
            return "IN_PROGRESS"
        return "ERROR" if self.error else "FINISHED"


@dataclass
class Comment:
    comment_id: str
    media_id: str
    account_id: str
    text: str
    created_at: datetime


class InstagramState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        accounts = (
            Account("17841400000000001", "26000000000000001", "brand_one", "Brand One"),
            Account("17841400000000002", "26000000000000002", "brand_two", "Brand Two", "Media_Creator"),
        )
        self.accounts = {account.user_id: account for account in accounts}
        self.tokens = Tokens(clock, self.clients, prefix="IGAA")
        self.graph = Graph(
            clock=clock,
            tuning=tuning,
            tokens=self.tokens,
            usage=Usage(UseCase("instagram", 80002, "Instagram")),
            versions=Versions(SUNSETS),
            limited_by_account=TokenKind.USER,
        )
        self.webhooks = Webhooks(NAME, clock, tuning)
        self.dialog = Dialog(
            title="Instagram",
            path="/oauth/authorize",
            clients=self.clients,
            scopes=SCOPES,
            choices=lambda: [Choice(account.user_id, account.username) for account in self.accounts.values()],
            clock=clock,
            suffix="#_",
            always=(BASIC,),
        )
        self.containers: dict[str, Container] = {}
        self.comments: list[Comment] = []
        self.planned_outcomes: list[dict[str, Any]] = []
        self.flat_tokens = False
        """Answer to a code as seen in the field, not as documented."""
        self.withdrawn_metrics: set[str] = set()
        """Metrics that fail the whole question in which they are asked for."""

    def account_of(self, ask: Ask) -> Account:
        """The account of a path, which is the token's own or, for this token, none."""
        account = self.accounts.get(ask.node)
        if account is None or ask.token.account_id != account.user_id:
            raise absent(ask.node, ask.request.method.lower())
        return account

    def media_of(self, account_id: str) -> list[Post]:
        """What shows of an account by now, newest first; a story for a day."""
        now = self.clock.now()
        return [
            post
            for post in reversed(self.truth.posts(NAME, account_id))
            if product_of(post) != "STORY" or now - post.posted_at < STORY_KEPT
        ]

    def medium_of(self, ask: Ask) -> Post:
        """The post of a path, as far as the token may see it."""
        for post in self.media_of(ask.token.account_id):
            if post.post_id == ask.node:
                return post
        raise absent(ask.node, ask.request.method.lower())


def product_of(post: Post) -> str:
    return {"REELS": "REELS", "STORIES": "STORY"}.get(post.settings["kind"], "FEED")


def new_id() -> str:
    """Seventeen digits, as all of Instagram's."""
    return str(17_900_000_000_000_000 + secrets.randbelow(9 * 10**13))


def shortcode_of(post: Post) -> str:
    """The word of a post in addresses: its number in another form."""
    return base64.urlsafe_b64encode(int(post.post_id).to_bytes(8, "big")).decode().strip("=")


def permalink_of(state: InstagramState, post: Post) -> str:
    username = state.accounts[post.account_id].username
    match product_of(post):
        case "STORY":
            return f"{state.base_url}/stories/{username}/{post.post_id}"
        case "REELS":
            return f"{state.base_url}/reel/{shortcode_of(post)}/"
        case _:
            return f"{state.base_url}/p/{shortcode_of(post)}/"
