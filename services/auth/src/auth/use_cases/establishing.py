"""Write a connection and its sealed grant, for the first time or again."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from contracts.auth import ConnectionEstablishedV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import Problem, Unavailable
from platforms.shape import Grant, PlatformName, Profile

from auth.domain.authorising import AuthorisationFailed
from auth.domain.connections import Connection, bond_of, connection_of
from auth.domain.renewing import lasts, life_of
from auth.domain.vault import NotOpened
from auth.ports.connections import Known
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.permitting import check_permission
from auth.use_cases.sealing import destroy_quietly, open_grant, seal_new

log = structlog.get_logger("connecting")

ATTEMPTS_MAX = 3
"""Two people who connect one account in one moment come between each other once."""


class _CameBetween(Exception):
    """Another authorisation of the same account was written first."""


@dataclass(frozen=True)
class Visit:
    """One visit of a person to a platform's consent page, for a workspace."""

    workspace_id: UUID
    account_id: UUID
    authorisation_id: UUID


async def establish(
    transactions: Transactions,
    visit: Visit,
    name: PlatformName,
    grant: Grant,
    profile: Profile,
    *,
    platforms: Platforms,
    vault: Vault,
) -> Connection:
    """The connection of the account that the grant acts for.

    Sealing is done between transactions: it may ask a key service. The key is in its store before the grant that names
    it. One whose grant was not written is destroyed at once, by the sweep if a crash comes first; so is the one that it
    replaces.
    """
    scope = Scope.workspace(visit.workspace_id, visit.account_id)
    bond = bond_of(platforms.access(name), visit.authorisation_id, grant)
    for _ in range(ATTEMPTS_MAX):
        async with transactions(scope) as store:
            known = await store.connections.known(visit.workspace_id, name, grant.account_id)
            now = store.now()
        lasting = await _keep_refresh_token(transactions, known, grant, vault=vault)
        life = life_of(lasting, platforms.access(name), now, chance=random.random())  # noqa: S311  # only spreads load
        if not lasts(life, now):
            raise AuthorisationFailed("The platform gave no lasting access. Remove ours there, then connect again.")
        connection_id = known.connection_id if known else new_id()
        connection = connection_of(connection_id, visit.workspace_id, name, lasting, profile, life)
        sealed = await seal_new(vault, connection, known.generation + 1 if known else 1, lasting)
        try:
            async with transactions(scope) as store:
                await check_permission(store, visit.workspace_id, visit.account_id)
                written = await store.connections.establish(
                    connection, life, bond=bond, at=now, is_new=known is None
                ) and await store.grants.put(connection_id, visit.workspace_id, sealed, at=now)
                if not written:
                    raise _CameBetween
                store.emit(
                    ConnectionEstablishedV1(workspace_id=visit.workspace_id, connection_id=connection_id, platform=name)
                )
        except (_CameBetween, Problem) as refused:
            # Only where it is certain that nothing was written: a commit whose answer is lost may have named the key.
            await destroy_quietly(vault, sealed.data_key_id)
            if isinstance(refused, Problem):
                raise
            continue
        if known and known.data_key_id:
            await destroy_quietly(vault, known.data_key_id)
        log.info("connection_established", connection_id=str(connection_id), platform=name)
        return connection
    raise Unavailable()


async def _keep_refresh_token(transactions: Transactions, known: Known | None, grant: Grant, *, vault: Vault) -> Grant:
    """The grant with the refresh token there was, where the platform sends it with the first consent only."""
    if known is None or grant.refresh_token is not None:
        return grant
    async with transactions(Scope.worker()) as store:
        sealed = await store.grants.find(known.connection_id)
    try:
        before = (await open_grant(vault, sealed)).grant if sealed else grant
    except NotOpened:
        before = grant
    return replace(grant, refresh_token=before.refresh_token, refresh_expires_at=before.refresh_expires_at)
