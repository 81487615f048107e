"""Asks the platforms for numbers, with grants borrowed from auth for the length of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import structlog
from contracts.leases import LEASE_SECONDS
from kit.calls import CallRefused
from kit.clock import Clock
from kit.problems import Unavailable
from platforms.environment import OfferedPlatforms
from platforms.errors import Misconfigured, PlatformError, RateLimited, ReauthorisationNeeded, Rejected
from platforms.leasing import Borrowing, Leases
from platforms.platform import Platform
from platforms.shape import Call, Counts, PlatformName

from metrics.domain import Answer, Batch, Counted, Failed, Postponed, Withheld

log = structlog.get_logger("insights")

CALL_SECONDS = LEASE_SECONDS - 10
"""A call ends before its lease does: nobody uses a grant that a disconnect believes returned."""

REAUTHORISATION_PAUSE = timedelta(hours=1)
"""A person must act; asking auth again costs little, the platform is not asked before."""

MISCONFIGURED_PAUSE = timedelta(hours=1)

REFRESHING_PAUSE = timedelta(seconds=5)

_WITHHELD = {"statistics_denied": Withheld.STATISTICS_DENIED}
"""The clients' words for refusals that a person can do something particular about. They are about the account."""

REFUSALS_MAX = 16
"""Of one look. Two posts are found among a hundred with less; where more are refused, it is about the account."""


@dataclass(frozen=True)
class _Dead:
    """A grant that the platform refused."""

    code: str
    generation: int | None


class PlatformInsights:
    """`metrics.ports.Insights` over the platforms' own interfaces."""

    def __init__(self, offered: OfferedPlatforms, leases: Leases, http: httpx.AsyncClient, clock: Clock) -> None:
        self._offered = offered
        self._leases = leases
        self._http = http
        self._clock = clock

    def batch_max(self, platform: str) -> int:
        client = self._client(platform)
        return client.insights_batch_max if client else 1

    async def ask(self, batches: Sequence[Batch]) -> Mapping[UUID, Answer]:
        dead: dict[UUID, _Dead] = {}
        try:
            async with self._leases.borrow([batch.connection_id for batch in batches]) as borrowing:
                answers = await asyncio.gather(*(self._ask_one(batch, borrowing, dead) for batch in batches))
        except (Unavailable, CallRefused) as error:
            return {batch.connection_id: Failed(f"auth_{type(error).__name__.lower()}") for batch in batches}
        await self._report(dead)
        return {batch.connection_id: answer for batch, answer in zip(batches, answers, strict=True)}

    async def _ask_one(self, batch: Batch, borrowing: Borrowing, dead: dict[UUID, _Dead]) -> Answer:
        platform, borrowed = self._client(batch.platform), borrowing.grants.get(batch.connection_id)
        if platform is None:
            return Postponed(self._in(MISCONFIGURED_PAUSE), "platform_not_offered")
        if borrowed is None:
            code = borrowing.refused.get(batch.connection_id, "unknown")
            return Postponed(self._in(REFRESHING_PAUSE if code == "refreshing" else REAUTHORISATION_PAUSE), code)
        call = Call(self._http, self._clock, borrowed.grant)
        post_ids = [tracked.platform_post_id for tracked in batch.publications]
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await _numbers(platform, call, post_ids)
        except RateLimited as error:
            return Postponed(error.until, error.code)
        except ReauthorisationNeeded as error:
            dead[batch.connection_id] = _Dead(error.code, borrowed.generation)
            return Postponed(self._in(REAUTHORISATION_PAUSE), error.code)
        except Misconfigured as error:
            log.error("platform_misconfigured", platform=batch.platform, code=error.code)
            return Postponed(self._in(MISCONFIGURED_PAUSE), error.code)
        except Rejected as error:
            return Failed(error.code, _WITHHELD.get(error.code, Withheld.INSIGHTS_REFUSED))
        except PlatformError as error:
            # Reading changes nothing, so whatever else went wrong may be tried again.
            return Failed(error.code)
        except TimeoutError:
            return Failed("timeout")

    async def _report(self, dead: Mapping[UUID, _Dead]) -> None:
        for connection_id, grant in dead.items():
            try:
                await self._leases.report_dead(connection_id, grant.code, generation=grant.generation)
            except (Unavailable, CallRefused) as error:
                # The grant is found dead again after the pause.
                log.warning("dead_grant_not_reported", reason=type(error).__name__)

    def _client(self, platform: str) -> Platform | None:
        try:
            return self._offered.platforms.get(PlatformName(platform))
        except ValueError:
            return None

    def _in(self, pause: timedelta) -> datetime:
        return self._clock.now() + pause


async def _numbers(platform: Platform, call: Call, post_ids: Sequence[str]) -> Counted:
    """What the platform tells. It refuses a call for one post of many, so halves are asked until that one is alone."""
    counts: dict[str, Counts] = {}
    withheld: dict[str, Withheld] = {}
    groups, refusals = [list(post_ids)], 0
    while groups:
        group = groups.pop()
        try:
            counts |= await platform.insights(call, group)
        except Rejected as error:
            refusals += 1
            if len(group) == len(post_ids) == 1 or error.code in _WITHHELD:
                raise
            if len(group) == 1 or refusals > REFUSALS_MAX:
                withheld |= dict.fromkeys(group, Withheld.INSIGHTS_REFUSED)
            else:
                middle = len(group) // 2
                groups += [group[middle:], group[:middle]]
    return Counted(counts, withheld)
