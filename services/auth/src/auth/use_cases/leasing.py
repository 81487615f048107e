"""Lend grants to services for the seconds of one platform call, sealed for the borrower alone."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.leases import LEASE_SECONDS, Lease, LeaseAnswer, LeaseRefusal, Purpose, lease_context
from kit.database import Scope
from kit.ids import new_id
from platforms import grants

from auth.domain.connections import refusal_of
from auth.domain.vault import SealedGrant
from auth.ports.connections import Standing
from auth.ports.store import Store, Transactions
from auth.ports.vault import SealFor, Vault
from auth.use_cases.sealing import open_grant


@dataclass(frozen=True)
class _Lent:
    """A lease that is written down, before its grant is opened."""

    lease_id: UUID
    standing: Standing
    sealed: SealedGrant


async def lend(
    transactions: Transactions,
    *,
    connection_ids: Sequence[UUID],
    borrower: str,
    purpose: Purpose,
    vault: Vault,
    seal_for: SealFor,
    nudge: Callable[[], None],
) -> LeaseAnswer:
    """Grants for `borrower`, and why there is none for the rest. `nudge` is called if one must be renewed first.

    That they were lent, and what for, is committed before they leave.
    """
    async with transactions(Scope.worker()) as store:
        now = store.now()
        expires_at = now + timedelta(seconds=LEASE_SECONDS)
        lent, refused = await _decide(store, list(dict.fromkeys(connection_ids)))
        written = {item.lease_id: item.standing for item in lent}
        await store.leases.add(written, borrower=borrower, purpose=purpose, expires_at=expires_at)
        workspaces = {standing.connection_id: standing.workspace_id for standing in written.values()}
        await store.borrowings.count(workspaces, borrower=borrower, purpose=purpose, at=now)
    if any(refusal.code == "refreshing" for refusal in refused):
        nudge()
    leases = [await _seal(item, borrower, expires_at, vault, seal_for) for item in lent]
    return LeaseAnswer(leases=tuple(leases), refused=tuple(refused))


async def _decide(store: Store, connection_ids: Sequence[UUID]) -> tuple[list[_Lent], list[LeaseRefusal]]:
    """Who gets a lease. The rows are held, so that a freeze comes before or after, never between."""
    standings = {standing.connection_id: standing for standing in await store.leases.hold(connection_ids)}
    now = store.now()
    refusals: dict[UUID, str] = {}
    for connection_id in connection_ids:
        found = standings.get(connection_id)
        code = (
            refusal_of(found.state, found.expires_at, found.refreshing_until, now, renewable=found.renewable)
            if found
            else "unknown"
        )
        if code:
            refusals[connection_id] = code
    # Read after the rows are held: a renewal that was waited for has replaced the grant.
    sealed = await store.grants.find_all([each for each in connection_ids if each not in refusals])
    lent = [_Lent(new_id(), standings[grant.connection_id], grant) for grant in sealed]
    return lent, [LeaseRefusal(connection_id=key, code=code) for key, code in refusals.items()]


async def _seal(item: _Lent, borrower: str, expires_at: datetime, vault: Vault, seal_for: SealFor) -> Lease:
    connection_id = item.standing.connection_id
    grant = await open_grant(vault, item.sealed)
    sealed = seal_for(
        borrower,
        grants.dump(grant, with_refresh=False),
        context=lease_context(item.lease_id, connection_id),
    )
    return Lease(
        lease_id=item.lease_id,
        connection_id=connection_id,
        workspace_id=item.standing.workspace_id,
        platform=item.standing.platform,
        handle=item.standing.handle or "",
        sealed=base64.b64encode(sealed).decode(),
        expires_at=expires_at,
    )


async def take_back(store: Store, *, lease_ids: Sequence[UUID], borrower: str) -> None:
    await store.leases.give_back(lease_ids, borrower=borrower)
