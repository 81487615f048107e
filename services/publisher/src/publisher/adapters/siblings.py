"""How many posts of a connection are due before another one, and will take of the same rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit.database import Transaction
from platforms.limits import Per

from publisher.domain.meter import Meter
from publisher.domain.sharing import Ask, foresees

SIBLINGS_MAX = 500
"""More are not counted: a warning needs no exact number, and each of a burst looks at so many rows."""

# One that is paused has no time at which it goes on, and perhaps never takes anything.
_COUNT = """
SELECT publication_id, name, (
    SELECT count(*) FROM (
        SELECT 1 FROM publication WHERE connection_id = asked.connection_id
            AND due_at >= asked.since AND (due_at, publication.publication_id) < (asked.due_at, asked.publication_id)
            AND (state IN ('staging', 'staged') OR (state = 'planned' AND next_at IS NOT NULL))
        LIMIT %(most)s
    ) AS sibling
) AS count
FROM unnest(%(publication_id)s::uuid[], %(connection_id)s::uuid[], %(name)s::text[], %(since)s::timestamptz[],
    %(due_at)s::timestamptz[]) AS asked (publication_id, connection_id, name, since, due_at)
"""


@dataclass(frozen=True)
class _Counted:
    publication_id: UUID
    name: str
    count: int


async def count_siblings(asks: Sequence[Ask], transaction: Transaction) -> Mapping[UUID, Mapping[str, int]]:
    """By publication and rate: who is due before it, in a window that holds both, and has not paid."""
    asked = [each for ask in asks if foresees(ask) for each in _asked(ask)]
    if not asked:
        return {}
    columns = {name: [each[name] for each in asked] for name in asked[0]}
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for row in await transaction.all(_Counted, _COUNT, columns | {"most": SIBLINGS_MAX}):
        found[row.publication_id][row.name] = row.count
    return found


def _asked(ask: Ask) -> Iterator[dict[str, UUID | str | datetime]]:
    publication = ask.publication
    for charge in ask.bill.ahead:
        if charge.rate.per is Per.ACCOUNT:
            yield {
                "publication_id": publication.publication_id,
                "connection_id": publication.connection_id,
                "name": charge.name,
                "since": Meter(charge.rate, {}).counted_since(publication.due_at),
                "due_at": publication.due_at,
            }
