"""Members see how much of its platform's rates a connection may still use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import permission
from kit.problems import NotFound
from litestar import get
from litestar.handlers import HTTPRouteHandler
from platforms.errors import Misconfigured
from platforms.limits import Per, RateLimit

from publisher.api.publications import Id, Known
from publisher.domain.budget import Budget
from publisher.ports import Offered, Store


class RateView(msgspec.Struct, frozen=True):
    """`left` and `more_at`, when some of what was used is free again, are not told of an application's rate while some
    of it is left: how much other workspaces publish is their own affair.
    """

    name: str
    what: str
    per: str
    maximum: int
    window_seconds: int
    left: int | None
    more_at: datetime | None


class ClosureView(msgspec.Struct, frozen=True):
    """The platform takes no step of this kind before `until`; `code` is its word for it."""

    per: str
    step: str
    until: datetime
    code: str


class BudgetView(msgspec.Struct, frozen=True):
    connection_id: UUID
    platform: str | None
    rates: list[RateView]
    closed: list[ClosureView]


class ConnectionNotFound(NotFound):
    title = "There is no such connection in this workspace"


def route(units: Units[Store], offered: Offered, *, clock: Clock) -> HTTPRouteHandler:
    @get(
        "/api/workspaces/{workspace_id:uuid}/connections/{connection_id:uuid}/budget",
        guards=[permission(Permission.POST_READ)],
        operation_id="getBudget",
    )
    async def show(workspace_id: Id, connection_id: Id, caller: Known) -> BudgetView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            connection = await store.connection(connection_id)
            if connection is None or not caller.reaches(connection_id):
                raise ConnectionNotFound()
            budgets = {
                Per.ACCOUNT: await store.budget_of_connection(connection_id),
                Per.APPLICATION: await store.budget_of_application(connection.platform or ""),
            }
        now = clock.now()
        return BudgetView(
            connection_id,
            connection.platform,
            [_rate(rate, budgets[rate.per], now) for rate in _rates(connection.platform, offered)],
            [view for per, budget in budgets.items() for view in _closures(per, budget, now)],
        )

    return show


def _rates(platform: str | None, offered: Offered) -> Iterable[RateLimit]:
    """Those that publishing uses up; none where the platform is not offered any more."""
    try:
        rates = offered.find(platform or "").limits.rates
    except Misconfigured:
        return ()
    return (rate for rate in rates if rate.spending)


def _rate(rate: RateLimit, budget: Budget, now: datetime) -> RateView:
    assert rate.spending is not None
    meter = budget.meter(rate)
    left = meter.left(now)
    told = rate.per is Per.ACCOUNT or not left
    return RateView(
        name=rate.spending.name,
        what=rate.what,
        per=rate.per.value,
        maximum=rate.maximum,
        window_seconds=int(rate.window.total_seconds()),
        left=left if told else None,
        more_at=meter.free_at(left + 1, now) if told and left < rate.maximum else None,
    )


def _closures(per: Per, budget: Budget, now: datetime) -> Iterator[ClosureView]:
    for step, closure in sorted(budget.closed.items()):
        if closure.until > now:
            yield ClosureView(per.value, step, closure.until, closure.code)
