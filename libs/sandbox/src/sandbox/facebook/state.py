"""What the imitated Facebook knows: people, their Pages, and everything that was uploaded or posted there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from kit.clock import Clock

from sandbox.consent import Choice
from sandbox.meta.answers import GraphError, absent
from sandbox.meta.clients import Client
from sandbox.meta.dialog import Dialog
from sandbox.meta.graph import Ask, Graph
from sandbox.meta.tokens import TokenKind, Tokens
from sandbox.meta.uploads import Upload
from sandbox.meta.usage import Usage, UseCase
from sandbox.meta.versions import Versions
from sandbox.meta.webhooks import Webhooks
from sandbox.truth import Post, PostedMedia, Truth
from sandbox.tuning import Tuning

NAME = "facebook"
VERSION = "v26.0"
SUNSETS: Mapping[str, date | None] = {"v24.0": None, "v25.0": None, VERSION: None}
UNPUBLISHED_KEPT = timedelta(hours=24)
CHUNK_BYTES = 1_048_576

SCOPES = (
    "public_profile",
    "email",
    "pages_show_list",
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_read_user_content",
    "read_insights",
    "publish_video",
    "business_management",
)
ALL_TASKS = ("CREATE_CONTENT", "MANAGE", "MODERATE", "ANALYZE", "ADVERTISE", "MESSAGING")


@dataclass
class Person:
    """Someone who can log in. `user_id` is their number in the application."""

    user_id: str
    name: str
    declined: dict[str, list[str]] = field(default_factory=dict)
    """Scopes that were asked for and not ticked, by application."""
    granted: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Page:
    """A Page and the person who manages it. One of a business is only in the business's list."""

    page_id: str
    name: str
    username: str
    user_id: str
    category: str = "Brand"
    tasks: list[str] = field(default_factory=lambda: list(ALL_TASKS))
    business_id: str | None = None
    subscribed: dict[str, list[str]] = field(default_factory=dict)
    """Webhook fields by application."""


@dataclass
class Photo:
    """An uploaded image; unpublished until a post or story takes it."""

    photo_id: str
    page_id: str
    media: PostedMedia
    created_at: datetime
    post_id: str | None = None


@dataclass
class Video:
    """A video from the start of its upload on; `kind` is video, reel or story."""

    video_id: str
    page_id: str
    kind: str
    client_id: str
    session_id: str
    created_at: datetime
    upload: Upload
    post_id: str
    finished_at: datetime | None = None
    text: str = ""
    title: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Comment:
    comment_id: str
    post_id: str
    page_id: str
    message: str
    created_at: datetime


class FacebookState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        people = (Person("10220000000000001", "Person One"), Person("10220000000000002", "Person Two"))
        self.people = {person.user_id: person for person in people}
        pages = (
            Page("101000000000001", "Brand One", "brand.one", people[0].user_id),
            Page("101000000000002", "Brand Two", "brand.two", people[0].user_id),
            Page("101000000000003", "Brand Three", "brand.three", people[0].user_id, business_id="1900000000000001"),
            Page("101000000000004", "Pub", "the.pub", people[1].user_id),
        )
        self.pages = {page.page_id: page for page in pages}
        self.tokens = Tokens(clock, self.clients, prefix="EAAB")
        self.usage = Usage(UseCase("pages", 80001, "Page"))
        self.versions = Versions(SUNSETS)
        self.graph = Graph(clock=clock, tuning=tuning, tokens=self.tokens, usage=self.usage, versions=self.versions)
        self.webhooks = Webhooks(NAME, clock, tuning)
        self.dialog = Dialog(
            title="Facebook",
            path=[f"/{version}/dialog/oauth" for version in SUNSETS],
            clients=self.clients,
            scopes=SCOPES,
            choices=lambda: [Choice(person.user_id, person.name) for person in self.people.values()],
            clock=clock,
            suffix="#_=_",
        )
        self.photos: dict[str, Photo] = {}
        self.videos: dict[str, Video] = {}
        self.comments: list[Comment] = []
        self.planned_outcomes: list[dict[str, Any]] = []
        self.chunk_bytes = CHUNK_BYTES
        self.list_lag_seconds = 0.0
        """How far a Page's lists are behind what was posted."""
        self.withdrawn_metrics: set[str] = set()
        """Metrics that fail the whole call in which they are asked for."""

    def page_of(self, ask: Ask, *, task: str = "CREATE_CONTENT") -> Page:
        """The Page of a path, for its own token: a person's, or another Page's, is refused."""
        page = self.pages.get(ask.node)
        if page is None:
            raise absent(ask.node, ask.request.method.lower())
        if ask.token.kind is not TokenKind.PAGE:
            raise GraphError(210, "(#210) A page access token is required to request this resource.", status=403)
        if ask.token.account_id != page.page_id:
            raise absent(ask.node, ask.request.method.lower())
        if task not in page.tasks:
            raise GraphError(200, f"(#200) The user lacks the task {task} on this Page", status=403)
        return page

    def post_of(self, post_id: str) -> Post | None:
        """A post that is there by now."""
        return self.truth.find(NAME, post_id)

    def listed(self, page_id: str) -> list[Post]:
        """A Page's posts as its lists have them, newest first."""
        settled = self.clock.now() - timedelta(seconds=self.list_lag_seconds)
        return [post for post in reversed(self.truth.posts(NAME, page_id)) if post.posted_at <= settled]

    def photo(self, photo_id: str, page: Page) -> Photo:
        """An image that can be put into a post: the Page's own, and not let go."""
        photo = self.photos.get(photo_id)
        gone = photo is None or (photo.post_id is None and self.clock.now() - photo.created_at > UNPUBLISHED_KEPT)
        if photo is None or gone or photo.page_id != page.page_id:
            raise GraphError(100, f"(#100) The photo {photo_id} does not exist or cannot be used here")
        return photo


def new_id() -> str:
    """Fifteen to seventeen digits, as most of Facebook's."""
    return str(120_000_000_000_000 + secrets.randbelow(10**17))
