"""What publishing may spend of a platform's rates: bills, what of them is paid, and who has to wait. Pure.

A budget is counted for a connection or for our application at a platform. It is also closed for a while when the
platform says so itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from platforms.limits import Limits, Per, RateLimit
from platforms.shape import Media

from publisher.domain.meter import Meter
from publisher.domain.publication import Publication, State


class Step(StrEnum):
    """The two steps at the platform that take of its rates."""

    STAGING = "staging"
    PUBLISHING = "publishing"

    @property
    def state(self) -> State:
        """In which it is taken."""
        return State(self.value)


STEPS: Mapping[State, Step] = {State.PLANNED: Step.STAGING, State.STAGING: Step.STAGING, State.STAGED: Step.PUBLISHING}
"""Which step comes next, where one does."""


@dataclass(frozen=True)
class Charge:
    """So much of one rate."""

    rate: RateLimit
    units: int

    @property
    def name(self) -> str:
        assert self.rate.spending is not None
        return self.rate.spending.name


@dataclass(frozen=True)
class Bill:
    """What one step of a publication takes of its platform's rates. `ahead`: what the step after it will take."""

    platform: str
    step: Step
    charges: tuple[Charge, ...]
    ahead: tuple[Charge, ...] = ()

    def of(self, per: Per) -> Iterator[Charge]:
        return (charge for charge in self.charges if charge.rate.per is per)

    def touches(self, per: Per) -> bool:
        """Whether anything of it is paid there, now or by the step after it."""
        return any(charge.rate.per is per for charge in (*self.charges, *self.ahead))

    def paid_before(self, charge: Charge, publication: Publication, now: datetime) -> int | None:
        """The slot in which a publication paid a charge when it last tried; None if that counts no more.

        A repeat of what provably came to nothing costs nothing: it takes the place of the try before.
        """
        slot = (publication.paid or {}).get(self.key(charge))
        return slot if slot is not None and Meter(charge.rate, {}).counts(slot, now) else None

    def paid(self, now: datetime) -> dict[str, int]:
        """What a publication remembers of paying it: the slot of each charge."""
        return {self.key(charge): Meter(charge.rate, {}).slot(now) for charge in self.charges}

    def key(self, charge: Charge) -> str:
        return f"{self.step}.{charge.name}"


def bill(platform: str, limits: Limits, step: Step, media: Sequence[Media], settings: Mapping[str, Any]) -> Bill:
    """What a step takes of the platform's rates for a post of this content.

    More than a rate's maximum cannot be had at once; such a post takes all of it.
    """
    charges: dict[Step, list[Charge]] = {Step.STAGING: [], Step.PUBLISHING: []}
    for rate in limits.rates:
        spending = rate.spending
        if spending is None:
            continue
        for taking, cost in ((Step.STAGING, spending.staging), (Step.PUBLISHING, spending.publishing)):
            units = min(cost(media, settings), rate.maximum) if cost else 0
            if units > 0:
                charges[taking].append(Charge(rate, units))
    ahead = charges[Step.PUBLISHING] if step is Step.STAGING else ()
    return Bill(platform, step, tuple(charges[step]), tuple(ahead))


@dataclass(frozen=True)
class Closure:
    """The platform takes nothing more before `until`. `code` is its word for it."""

    until: datetime
    code: str


@dataclass
class Budget:
    """What was spent, by rate and slot, and until when each step is closed.

    `turns`, of an application: how many more each workspace has had than the one that had fewest of those that wait;
    None while nobody waits.
    """

    spent: dict[str, dict[int, int]] = field(default_factory=dict)
    closed: Mapping[str, Closure] = field(default_factory=dict)
    turns: dict[str, int] | None = None
    changed: bool = False

    def meter(self, rate: RateLimit) -> Meter:
        assert rate.spending is not None
        return Meter(rate, self.spent.get(rate.spending.name, {}))

    def take(self, charge: Charge, now: datetime, *, instead_of: int | None) -> None:
        self.spent[charge.name] = dict(self.meter(charge.rate).take(charge.units, now, instead_of=instead_of).spent)
        self.changed = True

    def closure(self, step: Step, now: datetime) -> Closure | None:
        closure = self.closed.get(step)
        return closure if closure is not None and closure.until > now else None


@dataclass(frozen=True)
class Shortage:
    """A bill that cannot be paid now. `until`: when it probably can; `earliest`: when it could if nobody came first."""

    until: datetime
    earliest: datetime
    detail: str


@dataclass(frozen=True)
class Payment:
    """What became of a bill: it is paid unless there is a `shortage`. `foreseen` is what the next step will lack."""

    shortage: Shortage | None
    foreseen: Shortage | None
