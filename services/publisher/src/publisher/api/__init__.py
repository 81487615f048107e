"""The HTTP edge: parse, authorise, call one use case, shape the answer."""

from __future__ import annotations

from collections.abc import Callable

from kit.clock import Clock
from kit.database import Units
from litestar.types import ControllerRouterHandler

from publisher.api import budgets, publications, removals
from publisher.ports import Offered, Removing, Store


def routes(
    units: Units[Store],
    removing: Removing,
    offered: Offered,
    *,
    clock: Clock,
    wake: Callable[[], None],
    wake_removals: Callable[[], None],
) -> list[ControllerRouterHandler]:
    """Everything the publisher answers to. The wakes are called when there is something to publish, or to remove."""
    return [
        *publications.routes(units, clock=clock, wake=wake),
        budgets.route(units, offered, clock=clock),
        removals.route(units, removing, clock=clock, wake=wake_removals),
    ]
