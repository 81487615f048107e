"""The Pages that one authorisation opens, and the grants to act for each of them.

A grant acts for one Page: `access_token` is the Page's, which has no end, and `refresh_token` is the person's, from
which the Page's is read again. The person's never goes to a borrower. `extra` holds the person's id and proof, the
proof of the Page's token, and until one Page is chosen the tokens of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
from kit.secret import Secret

from platforms.errors import ReauthorisationNeeded, Rejected
from platforms.facebook.answers import Named, Page
from platforms.facebook.limits import PAGE_CHECK_DAYS, PAGES_AT_ONCE, PAGES_MAX
from platforms.meta.graph import PROOF, Graph, Key
from platforms.shape import Call, Grant, Profile

FIELDS = "id,name,access_token,tasks,username,category,picture{url}"
BUSINESSES = "business_management"
"""The permission to read which Pages belong to a person's businesses."""


@dataclass(frozen=True)
class Opened:
    """What a person's authorisation opens: their own key, and one for each Page, by its id, in Facebook's order."""

    user_id: str
    key: Key
    scopes: tuple[str, ...]
    ends_at: datetime
    now: datetime
    pages: Mapping[str, Key] = field(default_factory=dict)

    def grant(self, account_id: str, *, with_others: bool) -> Grant:
        """The grant for one Page. Raises `ReauthorisationNeeded` if it is not among them (any more)."""
        key = self.pages.get(account_id)
        if key is None:
            raise ReauthorisationNeeded("page_lost", "the person may not act for this Page (any more)")
        extra = self._extra(key)
        if with_others:
            others = {page: [each.token.reveal(), _proof(each)] for page, each in self.pages.items()}
            extra["pages"] = Secret(msgspec.json.encode(others).decode())
        return self._grant(account_id, key, extra)

    def grant_of_person(self) -> Grant:
        """A grant that opens no Page: it can only say which permissions there are, and be ended."""
        return self._grant(self.user_id, self.key, self._extra(self.key))

    def _extra(self, key: Key) -> dict[str, Secret]:
        return {"user_id": Secret(self.user_id), "user_proof": Secret(_proof(self.key)), PROOF: Secret(_proof(key))}

    def _grant(self, account_id: str, key: Key, extra: Mapping[str, Secret]) -> Grant:
        return Grant(
            account_id=account_id,
            access_token=key.token,
            refresh_token=self.key.token,
            scopes=self.scopes,
            expires_at=look_again_at(self.now),
            refresh_expires_at=self.ends_at,
            extra=extra,
        )


class Pages:
    """Satisfies `platforms.composed.Choosing`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def accounts(self, call: Call) -> Sequence[Profile]:
        """Every Page that the person behind the grant may post to, as it is now."""
        person = person_of(call.grant)
        if person is None:
            return [profile_of(await self.one(call), call.grant)]
        return [profile_of(page, call.grant) for page in await self.read(call, person, call.grant.scopes)]

    async def act_for(self, call: Call, account_id: str) -> Grant:
        """The grant for another Page, without the tokens of the rest."""
        grant = call.grant
        others = {name: value for name, value in grant.extra.items() if name != "pages"}
        if account_id == grant.account_id:
            return replace(grant, extra=others)
        known = grant.extra.get("pages")
        found = msgspec.json.decode(known.reveal()).get(account_id) if known else None
        if found is None:
            raise ReauthorisationNeeded("page_lost", "the person did not open this Page to us")
        token, proof = found
        return replace(grant, account_id=account_id, access_token=Secret(token), extra=others | {PROOF: Secret(proof)})

    async def read(self, call: Call, person: Key, scopes: Sequence[str]) -> list[Page]:
        """The Pages with a token and the right to post, those of the person's businesses last, each once."""
        paths = ["me/accounts"]
        if BUSINESSES in scopes:
            paths += await self._business_paths(call, person)
        found: dict[str, Page] = {}
        for path in paths:
            listed = self._graph.every(
                call, path, Page, pages_max=PAGES_MAX // PAGES_AT_ONCE, key=person, fields=FIELDS, limit=PAGES_AT_ONCE
            )
            async for page in listed:
                if page.may_post:
                    found.setdefault(page.id, page)
        return list(found.values())

    async def one(self, call: Call) -> Page:
        """The Page that the grant acts for."""
        fields = "id,name,username,category,picture{url}"
        return await self._graph.get(call, call.grant.account_id, Page, fields=fields)

    async def _business_paths(self, call: Call, person: Key) -> list[str]:
        """The lists of each business; one that may not be read is no reason to open nothing."""
        paths = []
        try:
            async for business in self._graph.every(
                call, "me/businesses", Named, pages_max=1, key=person, fields="id", limit=PAGES_AT_ONCE
            ):
                paths += [f"{business.id}/owned_pages", f"{business.id}/client_pages"]
        except (Rejected, ReauthorisationNeeded):
            return []
        return paths


def person_of(grant: Grant) -> Key | None:
    """The key of the person behind a grant; a borrowed grant has none."""
    return Key(grant.refresh_token, grant.extra.get("user_proof")) if grant.refresh_token else None


def profile_of(page: Page, grant: Grant) -> Profile:
    """`union_id` is the person's id in our application: Facebook tells who left by that, not by the Page."""
    user_id = grant.extra.get("user_id")
    return Profile(
        account_id=page.id,
        handle=page.username or page.name,
        display_name=page.name,
        avatar_url=page.picture.data.url,
        account_type=page.category,
        union_id=user_id.reveal() if user_id else None,
    )


def look_again_at(now: datetime) -> datetime:
    """A Page's token has no end; this is when it is asked whether it still works."""
    return now + timedelta(days=PAGE_CHECK_DAYS)


def _proof(key: Key) -> str:
    return key.proof.reveal() if key.proof else ""
