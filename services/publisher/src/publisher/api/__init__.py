"""The HTTP edge: parse, authorise, call one use case, shape the answer."""

from __future__ import annotations

from collections.abc import Callable

from kit.clock import Clock
from kit.database import Units
from litestar.types import ControllerRouterHandler

from publisher.api import publications
from publisher.ports import Store


def routes(units: Units[Store], *, clock: Clock, wake: Callable[[], None]) -> list[ControllerRouterHandler]:
    """Everything the publisher answers to."""
    return publications.routes(units, clock=clock, wake=wake)
