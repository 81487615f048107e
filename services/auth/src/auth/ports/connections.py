"""What is stored of connections: how they stand, their sealed grants, who borrows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.auth import PlatformConfirmation, RevocationReason

from auth.domain.authorising import Authorisation, LapsedChoice, Stage
from auth.domain.connections import Brief, Connection, Ended, UnconfirmedBecause
from auth.domain.renewing import Life
from auth.domain.vault import Ciphertext, DataKey, SealedGrant


@dataclass(frozen=True)
class Due:
    """A connection whose grant is to be renewed, claimed for it."""

    connection_id: UUID
    workspace_id: UUID
    platform: str
    refresh_attempts: int


@dataclass(frozen=True)
class Standing:
    """What decides whether a grant is lent."""

    connection_id: UUID
    workspace_id: UUID
    platform: str
    handle: str | None
    state: str
    expires_at: datetime | None
    refreshing_until: datetime | None
    renewable: bool


@dataclass(frozen=True)
class Known:
    """A connection that is there already for an account, and its grant's generation and key."""

    connection_id: UUID
    generation: int
    data_key_id: UUID | None


@dataclass(frozen=True)
class Ending:
    """A connection that is frozen; no reason yet if it is not. `shared`: the platform would end living ones with it.

    `platform_confirmed`: what the platform answered, once it was asked. `dead`: it had refused the grant before.
    """

    platform: str
    reason: str | None
    shared: bool
    platform_confirmed: bool | None
    unconfirmed_because: str | None
    dead: bool
    bond: str | None


@dataclass(frozen=True)
class Closed:
    """A connection at its end. `revoked_at`: when its access ended, which a dead grant did before."""

    workspace_id: UUID
    platform: str
    ending_reason: str
    revoked_at: datetime
    erasure_id: UUID


@dataclass(frozen=True)
class Stopped:
    """A connection of which nothing is lent any more."""

    workspace_id: UUID
    platform: str


class Authorisations(Protocol):
    """People who are away at a platform."""

    async def add(
        self, state_hash: bytes, started: Authorisation, *, account_id: UUID, stage: Stage = Stage.AWAY
    ) -> None: ...

    async def find(self, state_hash: bytes, *, account_id: UUID, stage: Stage) -> Authorisation | None:
        """What is kept, for nobody but who started it."""

    async def take(self, state_hash: bytes, *, account_id: UUID, stage: Stage = Stage.AWAY) -> Authorisation | None:
        """What was kept, once only and for nobody but who started it."""

    async def take_lapsed(self, *, now: datetime, limit: int) -> Sequence[LapsedChoice]:
        """Grants whose accounts nobody has chosen from in time, once only."""


class Connections(Protocol):
    """Connections and how they stand."""

    async def of_workspace(self, workspace_id: UUID) -> Sequence[Connection]:
        """All that have not ended."""

    async def briefs(self, workspace_id: UUID) -> Sequence[Brief]: ...

    async def known(self, workspace_id: UUID, platform: str, account_id: str) -> Known | None: ...

    async def establish(self, connection: Connection, life: Life, *, bond: str, at: datetime, is_new: bool) -> bool:
        """False if another authorisation of the same account came between."""

    async def is_shared(self, platform: str, bond: str) -> bool:
        """Whether a connection that lives, in whatever workspace, would end with this bond at the platform."""

    async def require_reauthorisation(
        self, connection_id: UUID, *, code: str, at: datetime, generation: int | None = None
    ) -> Stopped | None:
        """Which one it is if it was lent until now (and its grant is still of this generation, if one is given)."""

    async def claim_due(
        self, *, now: datetime, until: datetime, forced_before: datetime, limit: int
    ) -> Sequence[Due]: ...

    async def renewed(
        self,
        connection_id: UUID,
        *,
        generation: int,
        scopes: Sequence[str],
        life: Life,
        at: datetime,
    ) -> str | None:
        """The state of the connection, held; None if its grant is not of this generation any more."""

    async def postpone(self, connection_id: UUID, *, refresh_at: datetime, at: datetime, is_failure: bool) -> None:
        """Try to renew it again later. A failure is the platform's and is shown; the other reason is a lease."""

    async def freeze(self, connection_id: UUID, reason: RevocationReason, *, now: datetime, until: datetime) -> bool:
        """Lend nothing any more. False if it ends already, or there is none."""

    async def ended(self, connection_id: UUID) -> Ended | None:
        """How it stands with the end of a connection; None if there is none."""

    async def claim_stuck(self, *, now: datetime, until: datetime, limit: int) -> Sequence[UUID]: ...

    async def is_quiet(self, connection_id: UUID, *, now: datetime, beside_refresh: bool) -> bool:
        """No lease is out (and, if asked for, no renewal on its way)."""

    async def is_lendable(self, connection_id: UUID) -> bool: ...

    async def ending(self, connection_id: UUID) -> Ending | None:
        """What is being ended; None if there is no such connection."""

    async def recall(self, connection_id: UUID, *, erasure_id: UUID, now: datetime) -> bool:
        """End a connection again that a restore has brought back, under the erasure it has; False if none is back."""

    async def record_answer(
        self, connection_id: UUID, confirmation: PlatformConfirmation, because: UnconfirmedBecause | None
    ) -> None:
        """Keep what the platform of an ending connection answered, so that after a crash it is not asked again."""

    async def close(
        self,
        connection_id: UUID,
        confirmation: PlatformConfirmation,
        because: UnconfirmedBecause | None,
        *,
        at: datetime,
        erasure_id: UUID,
    ) -> Closed | None:
        """Forget whose account it was; None if that is done already. An erasure that was named before stays."""


class Grants(Protocol):
    """Sealed grants, which name their data keys."""

    async def find(self, connection_id: UUID) -> SealedGrant | None: ...

    async def find_all(self, connection_ids: Sequence[UUID]) -> Sequence[SealedGrant]: ...

    async def put(self, connection_id: UUID, workspace_id: UUID, grant: SealedGrant, *, at: datetime) -> bool:
        """Write the next generation; False if the stored one is not the generation before."""

    async def renew(self, connection_id: UUID, generation: int, text: Ciphertext, *, at: datetime) -> bool:
        """Write the next generation under the same key; False likewise."""

    async def destroy(self, connection_id: UUID) -> None:
        """Ciphertext and leases."""

    async def shred(self, connection_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Ciphertexts alone; returns the keys that they named, which are to be destroyed next."""

    async def named(self, data_key_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the keys that some grant names."""

    async def keys_to_move(self, limit: int) -> Sequence[DataKey]:
        """Keys that an earlier release stored beside the grants, each with the id it is to have from now on."""

    async def key_moved(self, key: DataKey) -> None:
        """The store of keys has it: let the grant name it, and forget it here."""


class Leases(Protocol):
    """Who borrows which grant."""

    async def hold(self, connection_ids: Sequence[UUID]) -> Sequence[Standing]:
        """How connections stand, unchanged until the transaction ends."""

    async def add(self, leases: Mapping[UUID, Standing], *, borrower: str, purpose: str, expires_at: datetime) -> None:
        """Leases by their ids."""

    async def give_back(self, lease_ids: Sequence[UUID], *, borrower: str) -> None: ...


class Closing(Protocol):
    """Accounts that are being deleted, with what only they owned."""

    async def begin(self, account_id: UUID, *, at: datetime, until: datetime) -> bool:
        """End sign-in and sessions, close the workspaces only this account owns; False if done already."""

    async def open_connections(self, account_id: UUID) -> Sequence[UUID]:
        """Connections of the closed workspaces that have not ended."""

    async def claim_stuck(self, *, now: datetime, until: datetime, limit: int) -> Sequence[UUID]: ...

    async def finish(self, account_id: UUID) -> Sequence[UUID] | None:
        """The closed workspaces; None if that is done already."""
