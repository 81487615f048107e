"""Who may spend what is left: of a connection the earliest due, of an application the workspaces in turns. Pure.

Turns are counted while somebody waits. The next one is whose workspace had the fewest, also if it waits
elsewhere: then as much is left for it. A newcomer begins with as many as the last in line, so that it neither waits for
the backlog of another nor makes up for the time before it came.
"""

from __future__ import annotations

import bisect
import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from uuid import UUID

from platforms.limits import Per

from publisher.domain.budget import Bill, Budget, Charge, Shortage, Step
from publisher.domain.publication import Publication


@dataclass(frozen=True)
class Ask:
    """A publication whose next step is to be paid."""

    publication: Publication
    bill: Bill

    @property
    def workspace(self) -> str:
        return str(self.publication.workspace_id)

    def paid_before(self, charge: Charge, now: datetime) -> int | None:
        return self.bill.paid_before(charge, self.publication, now)


@dataclass(frozen=True)
class Waiting:
    """How many publications wait elsewhere for the budgets of one platform and step.

    `ready`: those of a workspace that look again now. `of_connection` is known of connections that ask.
    """

    of_workspace: Mapping[str, int] = field(default_factory=dict)
    ready: Mapping[str, int] = field(default_factory=dict)
    of_connection: Mapping[UUID, int] = field(default_factory=dict)

    def ahead(self, workspace: str, refused: int) -> int:
        """About how many come before another one of a workspace of which so many were refused just now: its own, and of
        each other workspace no more than that and one."""
        own = self.of_workspace.get(workspace, 0) + refused
        counts, sums = self._sorted
        fewer = bisect.bisect_left(counts, own + 1)
        others = sums[fewer] + (own + 1) * (len(counts) - fewer)
        return own + others - min(self.of_workspace.get(workspace, 0), own + 1)

    @cached_property
    def _sorted(self) -> tuple[list[int], list[int]]:
        counts = sorted(self.of_workspace.values())
        return counts, [0, *accumulate(counts)]


@dataclass(frozen=True)
class Books:
    """The budgets of one batch, as they change while it is settled."""

    connections: Mapping[UUID, Budget]
    applications: Mapping[str, Budget]

    def of(self, ask: Ask, per: Per) -> Budget:
        if per is Per.APPLICATION:
            return self.applications[ask.bill.platform]
        return self.connections[ask.publication.connection_id]

    def contended(self, asks: Sequence[Ask], now: datetime) -> set[str]:
        """The platforms where not everybody can be served, or somebody waits already."""
        demand: Counter[tuple[int, str]] = Counter()
        found = set()
        for ask in asks:
            for charge in ask.bill.charges:
                if ask.paid_before(charge, now) is not None:
                    continue
                budget = self.of(ask, charge.rate.per)
                key = id(budget), charge.name
                demand[key] += charge.units
                if budget.turns is not None or demand[key] > budget.meter(charge.rate).left(now):
                    found.add(ask.bill.platform)
        return found


Queues = Mapping[tuple[str, Step], Waiting]
"""By platform and step; of contended platforms only."""


def share(asks: Sequence[Ask], books: Books, queues: Queues, now: datetime) -> list[Shortage | None]:
    """Charge the books with every bill that can be paid now: None for those."""
    answers = {index: _closed(ask, books, now) for index, ask in enumerate(asks)}
    alike: dict[tuple[str, Step], list[int]] = defaultdict(list)
    for index, ask in enumerate(asks):
        if answers[index] is None and ask.bill.charges:
            alike[ask.bill.platform, ask.bill.step].append(index)
    for key, indexes in alike.items():
        counter = _Counter([asks[index] for index in indexes], books, queues.get(key) or Waiting(), now)
        answers |= zip(indexes, counter.serve(), strict=True)
    return [answers[index] for index in range(len(asks))]


def _closed(ask: Ask, books: Books, now: datetime) -> Shortage | None:
    for per in (Per.ACCOUNT, Per.APPLICATION):
        closure = books.of(ask, per).closure(ask.bill.step, now)
        if closure is not None:
            return Shortage(closure.until, closure.until, f"the platform takes no more for a while ({closure.code})")
    return None


def foresees(ask: Ask) -> bool:
    """Whether there is anything to look ahead to."""
    return not ask.publication.due and ask.bill.step is Step.STAGING


def foresee(ask: Ask, books: Books, siblings: Mapping[str, int]) -> Shortage | None:
    """What publishing will lack when it is due, going by what was spent until now and by who is due before.

    `siblings`, by rate: how many posts of the connection that are due before it are still to pay, in a window that
    holds both. Each is taken to need as much as this one.
    """
    if not foresees(ask):
        return None
    due_at = ask.publication.due_at
    ahead = Ask(ask.publication, Bill(ask.bill.platform, Step.PUBLISHING, ask.bill.ahead))
    closed = _closed(ahead, books, due_at)
    if closed is not None:
        return closed
    for charge in ask.bill.ahead:
        meter, before = books.of(ask, charge.rate.per).meter(charge.rate), siblings.get(charge.name, 0)
        free_at = meter.free_at(charge.units * (before + 1), due_at)
        if free_at > due_at:
            alone_at = meter.free_at(charge.units, due_at)
            return Shortage(free_at, alone_at, _used_up(charge, by_then=alone_at <= due_at))
    return None


class _Counter:
    """Serves the asks of one platform and step."""

    def __init__(self, asks: Sequence[Ask], books: Books, waiting: Waiting, now: datetime) -> None:
        self._asks = asks
        self._books = books
        self._waiting = waiting
        self._now = now
        self._application = books.applications[asks[0].bill.platform]
        self._turns = Counter(self._application.turns)
        # Left for those whose turn it is and who wait elsewhere, by rate.
        self._reserved: Counter[str] = Counter()
        # Those who have to wait from here on.
        self._refused: Counter[object] = Counter()

    def serve(self) -> list[Shortage | None]:
        answers: dict[int, Shortage | None] = {}
        least = _least_units(self._asks)
        for index in self._in_turn():
            if index is None:
                self._reserved.update(least)
                continue
            answers[index] = self._serve(self._asks[index])
            if len(answers) == len(self._asks):
                break
        self._keep_turns()
        return [answers[index] for index in range(len(self._asks))]

    def _in_turn(self) -> Iterator[int | None]:
        """Positions of asks in the order in which they are served; None is the turn of one that waits elsewhere."""
        here: dict[str, deque[int]] = defaultdict(deque)
        for index in sorted(range(len(self._asks)), key=lambda index: self._asks[index].publication.due_at):
            here[self._asks[index].workspace].append(index)
        elsewhere = dict(self._waiting.ready)
        line = [(self._turns[workspace], workspace) for workspace in here.keys() | elsewhere.keys()]
        heapq.heapify(line)
        while line:
            turn, workspace = heapq.heappop(line)
            if here[workspace]:
                yield here[workspace].popleft()
            elif elsewhere.get(workspace):
                elsewhere[workspace] -= 1
                yield None
            else:
                continue
            heapq.heappush(line, (turn + 1, workspace))

    def _serve(self, ask: Ask) -> Shortage | None:
        before = {charge.name: ask.paid_before(charge, self._now) for charge in ask.bill.charges}
        for charge in ask.bill.charges:
            if before[charge.name] is not None:
                continue
            meter = self._books.of(ask, charge.rate.per).meter(charge.rate)
            if meter.left(self._now) < charge.units + self._reserved_of(charge):
                later = meter.free_at(charge.units * (self._ahead(ask, charge) + 1), self._now)
                self._refused.update((ask.publication.connection_id, ask.workspace))
                return Shortage(later, meter.free_at(charge.units, self._now), _used_up(charge))
        for charge in ask.bill.charges:
            budget = self._books.of(ask, charge.rate.per)
            budget.take(charge, self._now, instead_of=before[charge.name])
        self._turns[ask.workspace] += None in before.values()
        return None

    def _reserved_of(self, charge: Charge) -> int:
        return self._reserved[charge.name] if charge.rate.per is Per.APPLICATION else 0

    def _ahead(self, ask: Ask, charge: Charge) -> int:
        """About how many come before it."""
        connection_id = ask.publication.connection_id
        if charge.rate.per is Per.ACCOUNT:
            return self._waiting.of_connection.get(connection_id, 0) + self._refused[connection_id]
        return self._waiting.ahead(ask.workspace, self._refused[ask.workspace])

    def _keep_turns(self) -> None:
        """Who has had no more than the last in line is no better off for it, and need not be remembered."""
        if not any(charge.rate.per is Per.APPLICATION for ask in self._asks for charge in ask.bill.charges):
            return
        line = {ask.workspace for ask in self._asks if self._refused[ask.workspace]} | self._waiting.of_workspace.keys()
        last = min((self._turns[workspace] for workspace in line), default=None)
        kept = None
        if last is not None:
            kept = {workspace: turns - last for workspace, turns in self._turns.items() if turns > last}
        if kept != self._application.turns:
            self._application.turns, self._application.changed = kept, True


def _least_units(asks: Sequence[Ask]) -> dict[str, int]:
    """Of each rate, what one who waits elsewhere takes at least, going by those who are here."""
    least: dict[str, int] = {}
    for ask in asks:
        for charge in ask.bill.charges:
            least[charge.name] = min(least.get(charge.name, charge.units), charge.units)
    return least


def _used_up(charge: Charge, *, by_then: bool = False) -> str:
    """`by_then`: not yet, but by what is due before."""
    whose = "this account" if charge.rate.per is Per.ACCOUNT else "all who use this installation"
    used = "will be used up by what is due before" if by_then else "are used up"
    return f"{charge.rate.maximum} in {_in_words(charge)} for {whose} {used}: {charge.rate.what}"


def _in_words(charge: Charge) -> str:
    seconds = int(charge.rate.window.total_seconds())
    for size, word in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {word}" + ("s" if count > 1 else "")
    raise AssertionError("windows are whole seconds")
