"""What the vault costs: opening one grant, and lending many at once.

Opening is measured in processor time with the file provider, the keys in memory: what a database or a key service adds
is waiting. Lending is the whole use case on two real databases, with two hundred grants in one batch.

Run alone on the machine: `make bench-auth`.
"""

from __future__ import annotations

import asyncio
import base64
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from auth.adapters.key_file import KeyFile
from auth.adapters.keys import STORE, StoredKeys
from auth.adapters.store import PostgresStore
from auth.adapters.vault import EnvelopeVault
from auth.domain.vault import DataKey, SealedGrant, WrappedKey
from auth.ports.store import Store
from auth.use_cases.leasing import lend
from contracts.leases import Purpose
from kit import migrations
from kit.clock import SystemClock
from kit.database import Database, Scope, Units
from kit.embedded import EmbeddedPostgres
from kit.ids import new_id
from kit.key_files import generate_keys
from kit.keys import TrustedKeys, write_private
from kit.provision import provision
from kit.secret import Secret
from platforms import grants
from platforms.shape import Grant
from rich.console import Console
from rich.table import Table

OPEN_MICROSECONDS_MAX = 50.0
OPENINGS = 2_000
ROUNDS = 9
GRANTS = 200
PASSWORD = Secret("only-in-benchmarks")


class Remembered:
    """The keys in memory: `auth.ports.vault.Keys` as far as sealing and opening ask."""

    def __init__(self) -> None:
        self._keys: dict[UUID, WrappedKey] = {}

    async def add(self, key: DataKey) -> None:
        self._keys[key.data_key_id] = key.wrapped

    async def find(self, data_key_ids: Sequence[UUID]) -> Mapping[UUID, WrappedKey]:
        return {each: self._keys[each] for each in data_key_ids if each in self._keys}

    async def destroy(self, data_key_ids: Sequence[UUID]) -> None:
        for each in data_key_ids:
            self._keys.pop(each, None)

    async def destroy_of(self, connection_id: UUID) -> None:
        """No connection ends here."""

    async def older_than(self, before: datetime, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        return []

    async def count(self) -> int:
        return len(self._keys)


async def measure_opening(key_file: Path) -> float:
    """Microseconds of processor time for one grant, the median of some rounds."""
    vault = EnvelopeVault(KeyFile(key_file), Remembered())
    sealed = await seal(vault, new_id(), new_id())
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(OPENINGS):
            await vault.open_grant(sealed)
        taken.append((time.process_time() - started) / OPENINGS * 1e6)
    return statistics.median(taken)


async def seal(vault: EnvelopeVault, connection_id: UUID, workspace_id: UUID) -> SealedGrant:
    grant = Grant(
        account_id="account",
        access_token=Secret("a" * 72),
        refresh_token=Secret("r" * 72),
        scopes=("read", "publish"),
        expires_at=SystemClock().now() + timedelta(days=1),
        refresh_expires_at=None,
    )
    return await vault.seal_grant(
        grants.dump(grant, with_refresh=True), connection_id=connection_id, workspace_id=workspace_id, generation=1
    )


@asynccontextmanager
async def stores(folder: Path) -> AsyncIterator[tuple[Units[Store], StoredKeys]]:
    """auth's two databases on a PostgreSQL of their own."""
    clock = SystemClock()
    async with EmbeddedPostgres(folder) as server:
        urls = {}
        for name in ("auth", STORE):
            provision(Secret(server.superuser_url), name, login_password=PASSWORD, owner_password=PASSWORD)
            owner, urls[name] = (
                Secret(server.url(role=role, password=PASSWORD.reveal(), database=name))
                for role in (f"{name}_owner", name)
            )
            migrations.upgrade(name, owner)
        auth = Database("auth", urls["auth"], clock, connections_max=4)
        keys = Database(STORE, urls[STORE], clock, connections_max=4)
        await auth.open()
        await keys.open()
        try:
            yield Units[Store](auth, PostgresStore), StoredKeys(keys)
        finally:
            await auth.close()
            await keys.close()


async def measure_lending(folder: Path, key_file: Path) -> tuple[float, float]:
    """Milliseconds until all are lent, and of processor time; medians of some rounds."""
    generate_keys(folder / "keys", ["auth", "publisher"])
    trusted = TrustedKeys.load(folder / "keys" / "trusted.jwks.json")
    async with stores(folder) as (transactions, keys):
        vault = EnvelopeVault(KeyFile(key_file), keys)
        connection_ids = await furnish(transactions, vault)
        waited, worked = [], []
        for _ in range(ROUNDS):
            began, started = time.perf_counter(), time.process_time()
            answer = await lend(
                transactions,
                connection_ids=connection_ids,
                borrower="publisher",
                purpose=Purpose.PUBLISH,
                vault=vault,
                seal_for=trusted.seal,
                nudge=lambda: None,
            )
            waited.append((time.perf_counter() - began) * 1e3)
            worked.append((time.process_time() - started) * 1e3)
            assert len(answer.leases) == GRANTS
    return statistics.median(waited), statistics.median(worked)


async def furnish(transactions: Units[Store], vault: EnvelopeVault) -> list[UUID]:
    """A workspace with connections that are lent from, written without their platforms."""
    workspace_id, connection_ids = new_id(), [new_id() for _ in range(GRANTS)]
    async with transactions(Scope.worker()) as store:
        transaction = store._transaction  # type: ignore[attr-defined]
        await transaction.execute(
            "INSERT INTO workspace (workspace_id, name, time_zone, created_at) VALUES (%s, 'Bench', 'UTC', now())",
            (workspace_id,),
        )
        for position, connection_id in enumerate(connection_ids):
            await transaction.execute(
                "INSERT INTO connection (connection_id, workspace_id, platform, state, external_id, handle,"
                " display_name, scopes, expires_at, established_at, refresh_at)"
                " VALUES (%s, %s, 'tiktok', 'active', %s, 'brand', 'Brand', '{}', now() + interval '1 day', now(),"
                " now() + interval '1 day')",
                (connection_id, workspace_id, str(position)),
            )
    for connection_id in connection_ids:
        sealed = await seal(vault, connection_id, workspace_id)
        async with transactions(Scope.worker()) as store:
            await store.grants.put(connection_id, workspace_id, sealed, at=store.now())
    return connection_ids


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        folder = Path(name)
        os.chmod(folder, 0o711)  # noqa: S103  # PostgreSQL's own user passes through
        key_file = folder / "vault.key"
        write_private(key_file, base64.b64encode(os.urandom(32)))
        opening = await measure_opening(key_file)
        waited, worked = await measure_lending(folder, key_file)
    table = Table("what", "measured", "limit", "ratio")
    table.add_row(
        "one grant opened (processor time)",
        f"{opening:.1f} µs",
        f"{OPEN_MICROSECONDS_MAX:g} µs",
        f"{opening / OPEN_MICROSECONDS_MAX:.2f}",
    )
    table.add_row(f"{GRANTS} grants lent at once", f"{waited:.0f} ms, {worked:.0f} ms of processor time", "–", "–")
    Console().print(table)
    if opening > OPEN_MICROSECONDS_MAX:
        raise SystemExit("opening a grant takes longer than it may")


if __name__ == "__main__":
    asyncio.run(main())
