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
from platforms.shape import Grant

from auth.domain.connections import refusal_of
from auth.domain.vault import NotOpened, SealedGrant
from auth.ports.connections import Standing
from auth.ports.store import Store, Transactions
from auth.ports.vault import SealFor, Vault
from auth.use_cases.refreshing import require_reauthorisation
from auth.use_cases.sealing import open_grants


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
    try:
        opened = await open_grants(vault, [item.sealed for item in lent])
    except BaseException:
        await _give_back(transactions, lent, borrower)
        raise
    leases = []
    for item in lent:
        grant = opened[item.standing.connection_id]
        if isinstance(grant, NotOpened):
            refused.append(await _refuse_for_good(transactions, item, grant.code, borrower))
        else:
            leases.append(_seal(item, grant, borrower, expires_at, seal_for))
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
    decided = refusals.keys() | {grant.connection_id for grant in sealed}
    # Its key is on its way to the store of keys.
    refusals |= {each: "refreshing" for each in connection_ids if each not in decided}
    return lent, [LeaseRefusal(connection_id=key, code=code) for key, code in refusals.items()]


async def _refuse_for_good(transactions: Transactions, item: _Lent, code: str, borrower: str) -> LeaseRefusal:
    """A grant that never opens again needs a person, unless they have just connected anew and this one is past."""
    connection_id = item.standing.connection_id
    await _give_back(transactions, [item], borrower)
    dead = await require_reauthorisation(transactions, connection_id, code=code, generation=item.sealed.generation)
    return LeaseRefusal(connection_id=connection_id, code="reauth_required" if dead else "refreshing")


async def _give_back(transactions: Transactions, lent: Sequence[_Lent], borrower: str) -> None:
    async with transactions(Scope.worker()) as store:
        await take_back(store, lease_ids=[item.lease_id for item in lent], borrower=borrower)


def _seal(item: _Lent, grant: Grant, borrower: str, expires_at: datetime, seal_for: SealFor) -> Lease:
    connection_id = item.standing.connection_id
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
        generation=item.sealed.generation,
    )


async def take_back(store: Store, *, lease_ids: Sequence[UUID], borrower: str) -> None:
    await store.leases.give_back(lease_ids, borrower=borrower)
