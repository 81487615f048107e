"""What the imitated Pinterest knows: clients, accounts, boards, grants, uploads, pins."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kit.clock import Clock

from sandbox.pinterest.answers import AnyRequest, ApiError
from sandbox.truth import Post, PostedMedia, Truth
from sandbox.tuning import Tuning

NAME = "pinterest"
ACCESS_SECONDS = 2_592_000
REFRESH_SECONDS = 5_184_000
LEGACY_REFRESH_SECONDS = 31_536_000
CODE_SECONDS = 600
SCOPES = frozenset(
    f"{area}:{right}"
    for area in ("user_accounts", "boards", "pins")
    for right in ("read", "write", "read_secret", "write_secret")
)
READS_PER_MINUTE, WRITES_PER_MINUTE, ANALYTICS_PER_MINUTE = 1_000, 100, 300
"""Invented: Pinterest tells the categories, not their numbers."""


@dataclass
class Client:
    """An application. `access` is trial or standard; trial may not create pins. Old ones renew without a new token."""

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105
    redirect_uris: tuple[str, ...] = ()
    access: str = "standard"
    continuous_refresh: bool = True


@dataclass
class Account:
    username: str
    business_name: str | None = None
    account_type: str = "BUSINESS"

    @property
    def account_id(self) -> str:
        return number_of("account", self.username)


@dataclass
class Board:
    board_id: str
    owner: str
    name: str
    created_at: datetime
    privacy: str = "PUBLIC"
    sections: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    client_id: str
    username: str
    redirect_uri: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass
class Grant:
    client_id: str
    username: str
    scopes: tuple[str, ...]
    continuous: bool
    access_token: str = ""
    access_expires_at: datetime | None = None
    refresh_token: str = ""
    refresh_expires_at: datetime | None = None


@dataclass
class Upload:
    media_id: str
    owner: str
    registered_at: datetime
    stored: PostedMedia | None = None
    ready_at: datetime | None = None
    outcome: str = "succeeded"


@dataclass
class Pin:
    pin_id: str
    owner: str
    board_id: str
    created_at: datetime
    fields: dict[str, Any]
    media_type: str
    post: Post


class PinterestState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_id: client for client in (Client(),)}
        self.accounts: dict[str, Account] = {}
        self.boards: dict[str, Board] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.uploads: dict[str, Upload] = {}
        self.pins: dict[str, Pin] = {}
        self.planned_media: list[str] = []
        self.listing_lag_seconds = 0.0
        """How long a new pin is missing from lists."""
        self.calls: dict[tuple[str, str, int], int] = {}
        for account in (Account("brand_one", "Brand One"), Account("brand_two", "Brand Two")):
            self.add_account(account)

    def add_account(self, account: Account) -> None:
        """An account with one board, which has one section."""
        self.accounts[account.username] = account
        board = Board(number_of("board", account.username), account.username, "Everything", self.clock.now())
        board.sections[number_of("section", account.username)] = "Doors"
        self.boards.setdefault(board.board_id, board)

    def authenticate(self, request: AnyRequest, scope: str, category: str) -> Grant:
        """The grant behind a bearer token, if it is alive, may do this and is within its limits."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        now = self.clock.now()
        grant = next((g for g in self.grants if kind == "Bearer" and g.access_token == token), None)
        if grant is None or grant.access_expires_at is None or grant.access_expires_at <= now:
            raise ApiError(401, 2, "Authentication failed.")
        if scope not in grant.scopes:
            raise ApiError(401, 3, f"Authentication failed due to insufficient permissions. missing: ['{scope}']")
        self._count(token, category, now)
        return grant

    def _count(self, token: str, category: str, now: datetime) -> None:
        maximum = {"read": READS_PER_MINUTE, "write": WRITES_PER_MINUTE, "analytics": ANALYTICS_PER_MINUTE}[category]
        minute = int(now.timestamp()) // 60
        key = (token, category, minute)
        self.calls[key] = self.calls.get(key, 0) + 1
        if self.tuning.rate_limits and self.calls[key] > maximum:
            reset = 60 - int(now.timestamp()) % 60
            headers = {"x-ratelimit-limit": str(maximum), "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
            message = "You have exceeded your rate limit. Try again later."
            raise ApiError(429, 8, message, headers=headers)

    def board_of(self, grant: Grant, board_id: str) -> Board:
        board = self.boards.get(board_id)
        if board is None or board.owner != grant.username:
            raise ApiError(404, 40, "Board not found.")
        return board

    def pin_of(self, grant: Grant, pin_id: str) -> Pin:
        pin = self.pins.get(pin_id)
        if pin is None or pin.owner != grant.username:
            raise ApiError(404, 50, "Pin not found.")
        return pin

    def add_pin(self, grant: Grant, fields: dict[str, Any], media_type: str, files: tuple[PostedMedia, ...]) -> Pin:
        now = self.clock.now().replace(microsecond=0)
        pin_id = str(int.from_bytes(secrets.token_bytes(7)) + 10**17)
        settings = {name: value for name, value in fields.items() if name not in ("description", "media_source")}
        post = Post(
            platform=NAME,
            account_id=self.accounts[grant.username].account_id,
            post_id=pin_id,
            text=fields.get("description") or "",
            media=files,
            settings=settings,
            posted_at=self.clock.now(),
        )
        pin = Pin(pin_id, grant.username, str(fields["board_id"]), now, fields, media_type, post)
        self.pins[pin_id] = pin
        self.truth.add(post)
        return pin

    def listed(self, owner: str, board_id: str | None = None) -> list[Pin]:
        """An account's pins that lists show by now, newest first."""
        shown = self.clock.now() - timedelta(seconds=self.listing_lag_seconds)
        own = [
            pin
            for pin in self.pins.values()
            if pin.owner == owner and board_id in (None, pin.board_id) and pin.post.posted_at <= shown
        ]
        return sorted(own, key=lambda pin: (pin.created_at, pin.pin_id), reverse=True)


def number_of(kind: str, name: str) -> str:
    """An id in Pinterest's form that is the same in every sandbox."""
    digest = hashlib.sha256(f"{kind}:{name}".encode()).digest()
    return str(int.from_bytes(digest[:7]) + 10**17)
