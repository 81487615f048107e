"""The platforms' account: own posts listed, and asked for one by one where the list leaves them out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import httpx
from contracts.leases import LEASE_SECONDS
from kit.calls import CallRefused
from kit.clock import Clock
from kit.problems import Unavailable
from platforms.errors import PlatformError
from platforms.leasing import Leases
from platforms.platform import Platform
from platforms.shape import Call, PlatformName

from publisher.domain.auditing import Seen
from publisher.ports.auditing import Account, NotLooked

LOOK_SECONDS = LEASE_SECONDS - 5.0
"""A look ends within the lease of its grant."""

ASKED_FOR_MAX = 200
"""Posts of one account that are asked for one by one; beyond it the account is left for a person to look at."""


class PlatformLooks:
    """Satisfies `ports.auditing.Accounts`. Grants are borrowed for reading, and given back after each account."""

    def __init__(
        self, platforms: Mapping[PlatformName, Platform], leases: Leases, http: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._platforms = {name.value: platform for name, platform in platforms.items()}
        self._leases = leases
        self._http = http
        self._clock = clock

    async def look(self, account: Account, *, since: datetime, missing: Callable[[Collection[str]], list[str]]) -> Seen:
        platform = self._platforms.get(account.platform)
        if platform is None:
            raise NotLooked("platform_not_offered")
        try:
            async with self._leases.borrow([account.connection_id]) as borrowing, asyncio.timeout(LOOK_SECONDS):
                borrowed = borrowing.grants.get(account.connection_id)
                if borrowed is None or borrowed.workspace_id != account.workspace_id:
                    raise NotLooked(borrowing.refused.get(account.connection_id, "unknown"))
                call = Call(self._http, self._clock, borrowed.grant)
                own = await platform.own_posts(call, since=since)
                counted = await self._count(platform, call, missing({post.post_id for post in own.posts}))
                return Seen(own.posts, counted, in_part=bool(own.left_out) or not own.complete)
        except (Unavailable, CallRefused):
            raise NotLooked("auth_unavailable") from None
        except PlatformError as error:
            raise NotLooked(error.code) from None
        except TimeoutError:
            raise NotLooked("no_answer") from None

    @staticmethod
    async def _count(platform: Platform, call: Call, post_ids: list[str]) -> frozenset[str]:
        """Which of these the platform has numbers of: those are there."""
        if len(post_ids) > ASKED_FOR_MAX:
            raise NotLooked("too_many_posts")
        size = platform.insights_batch_max
        found: set[str] = set()
        for start in range(0, len(post_ids), size):
            found |= (await platform.insights(call, post_ids[start : start + size])).keys()
        return frozenset(found)
