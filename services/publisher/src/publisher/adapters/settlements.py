"""Ends of steps in PostgreSQL. Those of one moment share a transaction: while it is under way, the next ones gather.

A change that PostgreSQL refuses is tried again alone, so that it spoils no other's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass

import psycopg
from kit.batching import Batcher

from publisher.domain.publication import Publication
from publisher.domain.telling import told_by
from publisher.ports import Change, ClaimLost, Store, Verdict

TOGETHER_MAX = 200
"""Rows of one transaction: locked for some milliseconds."""


@dataclass(frozen=True)
class _Ending:
    """`context` is that of the step, so that its event is told in its trace."""

    claimed: Publication
    change: Verdict
    keep: bool
    context: Context


class GatheredSettlements:
    """Satisfies `ports.Settlements`."""

    def __init__(self, work: Callable[[], AbstractAsyncContextManager[Store]]) -> None:
        self._work = work
        self._batcher: Batcher[_Ending, Publication] = Batcher(self._settle_all, size_max=TOGETHER_MAX)

    async def settle(self, claimed: Publication, change: Verdict, *, keep: bool) -> Publication:
        return await self._batcher.do(_Ending(claimed, change, keep, copy_context()))

    async def _settle_all(self, endings: Sequence[_Ending]) -> list[Publication | Exception]:
        try:
            return await self._settle_together(endings)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            if len(endings) == 1:
                return [error]
        return [(await self._settle_all([ending]))[0] for ending in endings]

    async def _settle_together(self, endings: Sequence[_Ending]) -> list[Publication | Exception]:
        results: list[Publication | Exception] = []
        changes: list[tuple[Context, Change]] = []
        async with self._work() as store:
            locked = await store.lock([ending.claimed.publication_id for ending in endings])
            rows = {row.publication_id: row for row in locked}
            for ending in endings:
                # Taken out: of two that end one step, the second has lost its claim to the first.
                current = rows.pop(ending.claimed.publication_id, None)
                result = _after(ending, current)
                results.append(result)
                if current is not None and isinstance(result, Publication) and result != current:
                    changes.append((ending.context, (current, result)))
            if changes:
                await store.save([change for _, change in changes])
            for context, change in changes:
                context.run(_tell, change, store)
        return results


def _tell(change: Change, store: Store) -> None:
    event = told_by(*change)
    if event is not None:
        store.emit(event)


def _after(ending: _Ending, current: Publication | None) -> Publication | Exception:
    if current is None or current.claim is None or current.claim != ending.claimed.claim:
        return ClaimLost()
    try:
        after = ending.change(current)
    except Exception as error:
        return error
    return after if ending.keep else after.released()
