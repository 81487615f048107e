"""What the imitated LinkedIn knows: applications, people, organisations, grants, files, posts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kit.clock import Clock

from sandbox.linkedin.answers import AnyRequest, ApiError, denied
from sandbox.truth import Post, PostedMedia, Truth
from sandbox.tuning import Tuning

NAME = "linkedin"
ACCESS_SECONDS = 5_184_000
REFRESH_SECONDS = 31_536_000
CODE_SECONDS = 1_800
NEWEST_VERSION = 202611
SCOPES = frozenset(
    {
        "openid",
        "profile",
        "email",
        "r_basicprofile",
        "w_member_social",
        "r_member_postAnalytics",
        "r_organization_social",
        "w_organization_social",
        "rw_organization_admin",
        "r_organization_admin",
    }
)
"""What an application can get; `r_member_social` is closed and given to one that a test registers with it."""
POSTING_ROLES = frozenset({"ADMINISTRATOR", "CONTENT_ADMINISTRATOR"})
TIERS = {"standard": (100_000, 1_000_000), "share": (150, 100_000), "development": (100, 500)}
"""Calls a day of a member and of an application. LinkedIn does not tell the standard ones."""


@dataclass
class Client:
    """An application. Only an approved one gets refresh tokens; `tier` is how much it may call."""

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105
    redirect_uris: tuple[str, ...] = ()
    approved: bool = True
    tier: str = "standard"
    scopes: tuple[str, ...] = tuple(sorted(SCOPES))


@dataclass
class Person:
    """A member, and the role they have in each organisation (by its number)."""

    handle: str
    given_name: str = "Someone"
    family_name: str = "Else"
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:li:person:{hashlib.sha256(self.handle.encode()).hexdigest()[:10]}"


@dataclass
class Organisation:
    vanity_name: str
    name: str

    @property
    def number(self) -> str:
        return str(int.from_bytes(hashlib.sha256(self.vanity_name.encode()).digest()[:3]) + 10**7)

    @property
    def urn(self) -> str:
        return f"urn:li:organization:{self.number}"


@dataclass(frozen=True)
class Code:
    client_id: str
    person: str
    redirect_uri: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass
class Grant:
    """`ended` is how LinkedIn calls a token that was ended before its time."""

    client_id: str
    person: str
    scopes: tuple[str, ...]
    access_token: str
    access_expires_at: datetime
    refresh_token: str = ""
    refresh_expires_at: datetime | None = None
    created_at: datetime | None = None
    ended: str = ""


@dataclass
class Asset:
    """A file: begun, its parts stored, finished, ready at a time."""

    urn: str
    kind: str
    owner: str
    begun_at: datetime
    size: int = 0
    parts: dict[str, bytes] = field(default_factory=dict)
    stored: PostedMedia | None = None
    ready_at: datetime | None = None
    outcome: str = "AVAILABLE"


@dataclass
class Shown:
    """A post with what it was made of. `visible_at` is None for one that LinkedIn took and never shows."""

    urn: str
    author: str
    created_at: datetime
    body: dict[str, Any]
    visible_at: datetime | None
    post: Post
    comments: list[dict[str, Any]] = field(default_factory=list)
    removed: bool = False


class LinkedInState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        self.organisations: dict[str, Organisation] = {}
        self.people: dict[str, Person] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.assets: dict[str, Asset] = {}
        self.posts: dict[str, Shown] = {}
        self.subscriptions: dict[tuple[str, ...], str] = {}
        self.planned_media: list[str] = []
        self.planned_posts: list[dict[str, Any]] = []
        self.listing_lag_seconds = 0.0
        """How long a new post is missing from its author's list."""
        self.calls: dict[tuple[str, str], int] = {}
        self._made = 0
        self._begin()

    def _begin(self) -> None:
        """One person with three organisations, one of which they may not post for, and one person with none."""
        names = (("brand-one", "Brand One"), ("brand-two", "Brand Two"), ("brand-ads", "Brand Ads"))
        for organisation in (Organisation(*name) for name in names):
            self.organisations[organisation.number] = organisation
        roles = ("ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER")
        self.add_person(Person("brand_one", "Olive", "One", dict(zip(self.organisations, roles, strict=True))))
        self.add_person(Person("brand_two", "Tom", "Two"))

    def add_person(self, person: Person) -> None:
        self.people[person.urn] = person

    def new_number(self) -> int:
        """A number whose upper bits are the time in milliseconds, as LinkedIn's are."""
        self._made += 1
        return (int(self.clock.now().timestamp() * 1000) << 22) + self._made

    def authenticate(self, request: AnyRequest) -> Grant:
        """The grant behind a token that is alive and within its limits."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            raise ApiError(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", number=65604)
        grant = next((grant for grant in self.grants if grant.access_token == token), None)
        if grant is None:
            raise ApiError(401, "INVALID_ACCESS_TOKEN", "Invalid access token", number=65600)
        if grant.ended:
            raise ApiError(401, "REVOKED_ACCESS_TOKEN", "The token has been revoked by the user", number=65601)
        if grant.access_expires_at <= self.clock.now():
            raise ApiError(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired", number=65602)
        self._count(grant)
        return grant

    def admit(self, request: AnyRequest) -> Grant:
        """A versioned call: its headers, its encoding and its token."""
        version = request.headers.get("linkedin-version", "")
        if not version:
            raise ApiError(400, "VERSION_MISSING", "A version must be present. Please specify a version")
        if not version.isdigit() or not self._active(int(version)):
            raise ApiError(426, "NONEXISTENT_VERSION", f"Requested version {version[:8]}01 is not active")
        if request.headers.get("x-restli-protocol-version") != "2.0.0":
            raise ApiError(400, "ILLEGAL_ARGUMENT", "X-RestLi-Protocol-Version must be 2.0.0")
        if b"urn:li" in request.scope["query_string"] or b"urn:li" in request.scope["raw_path"]:
            raise ApiError(400, "ILLEGAL_ARGUMENT", "URNs must be encoded in addresses")
        return self.authenticate(request)

    def act_as(self, grant: Grant, author: object, what: str) -> None:
        """Refuse an author that the grant may not write for."""
        if author == grant.person and "w_member_social" in grant.scopes:
            return
        number = str(author).removeprefix("urn:li:organization:")
        role = self.people[grant.person].roles.get(number)
        if str(author) == number or role not in POSTING_ROLES or "w_organization_social" not in grant.scopes:
            raise denied(what)

    def read_as(self, grant: Grant, author: str, what: str) -> None:
        """Refuse an author whose posts the grant may not read."""
        if author == grant.person and "r_member_social" in grant.scopes:
            return
        number = author.removeprefix("urn:li:organization:")
        known = number in self.people[grant.person].roles
        if author == number or not known or "r_organization_social" not in grant.scopes:
            raise denied(what)

    def _active(self, version: int) -> bool:
        now = self.clock.now()
        newest = max(now.year * 100 + now.month, NEWEST_VERSION)
        return now.year * 100 + now.month - 100 < version <= newest and 1 <= version % 100 <= 12

    def _count(self, grant: Grant) -> None:
        day = self.clock.now().date().isoformat()
        maxima = TIERS[self.clients[grant.client_id].tier]
        for who, maximum, named in zip((grant.person, grant.client_id), maxima, ("MEMBER", "APPLICATION"), strict=True):
            self.calls[who, day] = self.calls.get((who, day), 0) + 1
            if self.tuning.rate_limits and self.calls[who, day] > maximum:
                message = f"Resource level throttle {named} DAY limit for calls to this resource is reached."
                raise ApiError(429, "TOO_MANY_REQUESTS", message, number=101)

    def listed(self, author: str) -> list[Shown]:
        """An author's posts that lists show by now, newest first."""
        until = self.clock.now() - timedelta(seconds=self.listing_lag_seconds)
        own = [s for s in self.posts.values() if s.author == author and not s.removed and s.created_at <= until]
        return sorted(own, key=lambda shown: int(shown.urn.rpartition(":")[2]), reverse=True)
