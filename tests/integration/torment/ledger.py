"""What is true after a run: the platforms' own record beside the publisher's rows, by each post's unique text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
from signoff.installation import DATABASES

from tests.integration.torment.house import House
from tests.integration.torment.plan import Plan
from tests.integration.torment.room import Room

NOT_OUT = frozenset({"failed", "missed", "cancelled", "needs_attention"})
OUT = frozenset({"published", "needs_attention"})

_PUBLICATIONS = (
    "SELECT post_id::text, connection_id::text, platform, state, code, evidence->>'reason', attempts FROM publication"
)
_PLANNED = "SELECT count(*) FROM publication WHERE post_id = ANY(%s::uuid[])"
_IS_OPEN = "(state NOT IN ('published', 'failed', 'missed', 'cancelled', 'needs_attention') OR held)"
_OPEN = f"SELECT state, code, count(*) FROM publication WHERE {_IS_OPEN} GROUP BY 1, 2"  # noqa: S608
_NEXT = f"SELECT coalesce(min(greatest(next_at, leased_until)), 'epoch') FROM publication WHERE {_IS_OPEN}"  # noqa: S608
_UNTOLD = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM held_event)"


@dataclass(frozen=True)
class Row:
    """A publication as the publisher has it."""

    platform: str
    state: str
    code: str | None
    reason: str | None
    attempts: int


class Ledger:
    """The books of one run."""

    def __init__(self, house: House, room: Room, plan: Plan) -> None:
        self._house = house
        self._room = room
        self._plan = plan

    async def unfinished(self) -> str | None:
        """What still keeps the system busy; None if nothing does."""
        posts = [self._room.posts[post] for post in self._plan.posts]
        ((count,),) = await self._rows("publisher", _PLANNED, posts)
        if count < self._plan.publications:
            return f"{count} of {self._plan.publications} publications are planned"
        if left := await self._rows("publisher", _OPEN):
            return "open are " + ", ".join(f"{n} {state} ({code})" for state, code, n in left)
        for service in DATABASES:
            if (await self._rows(service, _UNTOLD))[0][0]:
                return f"{service} has something to tell or holds events"
        return None

    async def next_at(self) -> datetime:
        """When the first open publication goes on; long ago if all of them wait for something else than a time."""
        ((at,),) = await self._rows("publisher", _NEXT)
        return cast(datetime, at)

    async def compare(self) -> tuple[Mapping[str, Counter[str]], list[str]]:
        """For each platform how many publications ended how, and what is not as it should be, a line each."""
        rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for post_id, connection_id, *row in await self._rows("publisher", _PUBLICATIONS):
            rows[post_id, connection_id].append(Row(*row))
        truth: dict[str, list[int]] = defaultdict(list)
        for shown in self._house.sandbox.truth.posts():
            truth[shown.text].append(shown.writes)
        ends: dict[str, Counter[str]] = defaultdict(Counter)
        wrong: list[str] = []
        for post in self._plan.posts:
            for variant in post.variants:
                key = self._room.posts[post], self._room.connections[variant.platform, variant.account]
                end = _judge(rows[key], truth[variant.text])
                ends[variant.platform][end.word] += 1
                wrong += [f"{end.word}: {variant.text}: {end.detail}"] if end.wrong else []
        return ends, wrong

    async def _rows(self, store: str, query: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._house.superuser_url(store)) as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()


@dataclass(frozen=True)
class End:
    """How one publication ended, in a word. `wrong`: it must not end like this."""

    word: str
    detail: str = ""
    wrong: bool = False


def _judge(rows: Sequence[Row], writes: Sequence[int]) -> End:
    if len(rows) != 1:
        return End("miscounted", f"{len(rows)} rows", wrong=True)
    (row,) = rows
    if sum(writes) > 1:
        return End("double", f"written {list(writes)}, {row}", wrong=True)
    if row.state not in (OUT if writes else NOT_OUT) or (not writes and not row.code):
        return End("lost", f"written {list(writes)}, {row}", wrong=True)
    if row.state == "published":
        return End(row.state)
    return End(f"{row.state} ({row.reason or row.code}), {'out' if writes else 'not out'}")
