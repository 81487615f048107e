"""Keys and ciphertexts lie in two databases: whatever fails between two commits, nothing opens that should not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.adapters.key_file import KeyFile
from auth.adapters.keys import StoredKeys
from auth.adapters.platforms import CalledPlatforms
from auth.adapters.vault import EnvelopeVault
from auth.domain.vault import KEY_LOST, DataKey, WrappedKey
from auth.jobs import SWEEP_EVERY
from auth.ports.store import Transactions
from auth.use_cases.disconnecting import finish_ending
from auth.use_cases.sweeping import move_keys, sweep
from contracts.auth import ConnectionReauthRequiredV1, ConnectionRefreshedV1, ConnectionRevokedV2, PlatformConfirmation
from contracts.retention import ErasureRecalledV1, ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus
from psycopg import sql

from services.auth.tests.client import Room, Superuser
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_disconnecting import REVOKE
from services.auth.tests.test_leases import TOKEN
from services.auth.tests.test_refreshing import move_to, times

SWEPT = timedelta(hours=1) + SWEEP_EVERY


class Down(Exception):
    """The store of keys, or the process, at the worst moment."""


class FailingKeys:
    """A store of keys that fails at one call, before or after it did what was asked; then it works."""

    def __init__(self, keys: StoredKeys, call: str, *, after: bool) -> None:
        self._keys = keys
        self._call: str | None = call
        self._after = after

    async def _do(self, call: str, work: Callable[[], Awaitable[Any]]) -> Any:
        fails = self._call == call
        if fails:
            self._call = None
        if fails and not self._after:
            raise Down
        done = await work()
        if fails:
            raise Down
        return done

    async def add(self, key: DataKey) -> None:
        await self._do("add", lambda: self._keys.add(key))

    async def find(self, data_key_ids: Sequence[UUID]) -> Mapping[UUID, WrappedKey]:
        return await self._keys.find(data_key_ids)

    async def destroy(self, data_key_ids: Sequence[UUID]) -> None:
        await self._do("destroy", lambda: self._keys.destroy(data_key_ids))

    async def destroy_of(self, connection_id: UUID) -> None:
        await self._do("destroy_of", lambda: self._keys.destroy_of(connection_id))

    async def older_than(self, before: datetime, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        return await self._keys.older_than(before, after=after, limit=limit)

    async def count(self) -> int:
        return await self._keys.count()


def failing(environment: dict[str, str], keys: StoredKeys, call: str, *, after: bool) -> EnvelopeVault:
    return EnvelopeVault(KeyFile(Path(environment["VAULT_KEY_FILE"])), FailingKeys(keys, call, after=after))


def keys_in(superuser: Superuser) -> set[UUID]:
    return {key_id for (key_id,) in superuser.keys.execute("SELECT data_key_id FROM grant_key").fetchall()}


def named_in(superuser: Superuser) -> set[UUID]:
    return {key_id for (key_id,) in superuser.execute("SELECT data_key_id FROM sealed_grant").fetchall()}


@contextmanager
def keys_away(superuser: Superuser) -> Iterator[None]:
    """Nobody gets in to the store of keys, and who was in is put out; loops that need it wait."""
    name, own = superuser.keys.info.dbname, superuser.keys.info.backend_pid
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    superuser.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
    put_out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
    superuser.execute(put_out, (name, own))
    yield
    superuser.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


async def test_a_key_whose_grant_was_never_written_is_swept(
    room: Room, vault: EnvelopeVault, clock: MovableClock, superuser: Superuser
):
    kept = await room.connect()
    await vault.seal_grant(b"never written", connection_id=new_id(), workspace_id=room.workspace_id, generation=1)
    assert len(keys_in(superuser)) == 2
    clock.advance(SWEPT)
    await wait_for(lambda: keys_in(superuser) == named_in(superuser))
    assert len((await room.borrow(kept)).leases) == 1


async def test_a_connecting_that_is_refused_at_the_end_leaves_no_key(room: Room, superuser: Superuser):
    callback = await room.leave()
    superuser.execute("CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    superuser.execute("CREATE TRIGGER deaf BEFORE INSERT ON sealed_grant FOR EACH ROW EXECUTE FUNCTION deaf()")
    answer = await room.come_back(callback)
    assert answer.status_code == 503
    assert counts(superuser) == [0, 0, 0, 0]


async def test_connecting_again_brings_a_new_key_and_destroys_the_old_one(room: Room, superuser: Superuser):
    connection_id = await room.connect()
    before = keys_in(superuser)
    assert await room.connect() == connection_id
    assert keys_in(superuser) == named_in(superuser)
    assert not keys_in(superuser) & before
    assert len((await room.borrow(connection_id)).leases) == 1


async def test_a_renewal_keeps_the_key(room: Room, clock: MovableClock, superuser: Superuser):
    await room.connect()
    before = keys_in(superuser)
    move_to(clock, times(superuser)[0])
    await wait_for(lambda: superuser.execute("SELECT generation FROM sealed_grant").fetchone() == (2,))
    assert keys_in(superuser) == named_in(superuser) == before


async def test_a_store_of_keys_that_goes_away_while_a_platform_renews_loses_no_grant(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    connection_id = await room.connect()
    exchanged = room.sandbox.requests("tiktok", TOKEN)
    room.sandbox.add_fault("tiktok", TOKEN, "delay", delay_seconds=0.7)
    move_to(clock, times(superuser)[0])
    await wait_for(lambda: room.sandbox.requests("tiktok", TOKEN) > exchanged)
    with keys_away(superuser):
        await bus.wait_told(ConnectionRefreshedV1)
    headers, body = room.auth.passport(service="publisher"), {"connection_ids": [str(connection_id)]}

    async def lent() -> bool:
        answer = await room.auth.http.post("/internal/leases", json=body, headers=headers)
        return answer.is_success and len(answer.json()["leases"]) == 1

    await wait_for(lent, 20, what="a lease once the store is back")


@pytest.mark.promise("P26")
@pytest.mark.promise("P60")
@pytest.mark.parametrize("after", [False, True], ids=["before the key is destroyed", "before the rest is"])
async def test_a_disconnect_cut_short_between_the_stores_is_finished_and_loses_no_confirmation(
    room: Room, bus: Bus, transactions: Transactions, environment: dict[str, str], keys: StoredKeys,
    clock: MovableClock, superuser: Superuser, called: CalledPlatforms, after: bool,
):  # fmt: skip
    connection_id = await room.connect()
    until = clock.now() + timedelta(hours=1)
    superuser.execute(
        "UPDATE connection SET state = 'ending', ending_reason = 'disconnected', ending_until = %s", (until,)
    )
    cut = failing(environment, keys, "destroy_of", after=after)
    with pytest.raises(Down):
        await finish_ending(transactions, connection_id, platforms=called, vault=cut)
    assert counts(superuser, "sealed_grant", "grant_key") == [1, 0 if after else 1]
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["revoked"]
    assert await bus.told(ConnectionRevokedV2) == []
    move_to(clock, until)
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert told.platform_confirmation is PlatformConfirmation.CONFIRMED
    assert room.sandbox.requests("tiktok", REVOKE["tiktok"]) == 1
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]


async def test_a_store_of_keys_that_is_away_stops_lending_and_nothing_else(
    room: Room, superuser: Superuser, clock: MovableClock
):
    connection_id = await room.connect()
    superuser.keys.execute("ALTER FUNCTION keys_of RENAME TO away")
    body = {"connection_ids": [str(connection_id)]}
    headers = room.auth.passport(service="publisher")
    answer = await room.auth.http.post("/internal/leases", json=body, headers=headers)
    assert answer.status_code == 500
    assert counts(superuser, "lease") == [0]
    assert [shown["state"] for shown in await room.list()] == ["active"]
    superuser.keys.execute("ALTER FUNCTION away RENAME TO keys_of")
    assert len((await room.borrow(connection_id)).leases) == 1


@pytest.mark.promise("P25")
async def test_a_connection_whose_key_is_lost_asks_for_a_person_and_hinders_no_other(
    room: Room, bus: Bus, superuser: Superuser
):
    lost, kept = await room.connect("tiktok"), await room.connect("bluesky")
    superuser.keys.execute("DELETE FROM grant_key WHERE connection_id = %s", (lost,))
    answer = await room.borrow(lost, kept)
    assert [lease.connection_id for lease in answer.leases] == [kept]
    assert [(refusal.connection_id, refusal.code) for refusal in answer.refused] == [(lost, "reauth_required")]
    (told,) = await bus.wait_told(ConnectionReauthRequiredV1)
    assert isinstance(told, ConnectionReauthRequiredV1)
    assert (told.connection_id, told.reason) == (lost, KEY_LOST)
    assert superuser.execute("SELECT count(*) FROM lease WHERE connection_id = %s", (lost,)).fetchone() == (0,)
    assert await room.connect("tiktok") == lost
    assert len((await room.borrow(lost)).leases) == 1


async def test_a_key_service_that_is_away_condemns_no_connection(
    room: Room, environment: dict[str, str], superuser: Superuser, tmp_path: Path
):
    connection_id = await room.connect()
    superuser.keys.execute("UPDATE grant_key SET key_id = 'transit:transit/signoff:v1'")
    body = {"connection_ids": [str(connection_id)]}
    headers = room.auth.passport(service="publisher")
    answer = await room.auth.http.post("/internal/leases", json=body, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (503, "Stored tokens cannot be opened right now")
    assert "transit" not in answer.text
    assert counts(superuser, "lease") == [0]
    assert [shown["state"] for shown in await room.list()] == ["active"]


async def test_keys_without_most_of_the_grants_are_left_alone(
    transactions: Transactions, keys: StoredKeys, clock: MovableClock, superuser: Superuser
):
    superuser.keys.execute(
        "INSERT INTO grant_key SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'x', 'y', %(at)s, %(at)s"
        " FROM generate_series(1, 101)",
        {"at": clock.now() - timedelta(hours=2)},
    )
    assert await sweep(transactions, keys) == 0
    assert len(keys_in(superuser)) == 101
    superuser.keys.execute("DELETE FROM grant_key WHERE ctid = (SELECT min(ctid) FROM grant_key)")
    assert await sweep(transactions, keys) == 100


@pytest.mark.promise("P63")
@pytest.mark.parametrize("kind", [SubjectKind.CONNECTION, SubjectKind.WORKSPACE])
async def test_an_erasure_reaches_the_keys_and_looks_again_there(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser, kind: SubjectKind
):
    connection_id = await room.connect()
    subject_id = connection_id if kind is SubjectKind.CONNECTION else room.workspace_id
    request = ErasureRequestedV1(
        erasure_id=new_id(), subject_kind=kind, subject_id=subject_id, due_at=clock.now() + timedelta(days=30)
    )
    await bus.publish(request)
    (done,) = await bus.wait_told(ErasureTaskDoneV1)
    assert isinstance(done, ErasureTaskDoneV1)
    assert (done.erased["grant_key"], done.remaining["grant_key"]) == (1, 0)
    assert counts(superuser, "grant_key", "sealed_grant") == [0, 0]


@pytest.mark.promise("P62")
async def test_what_a_restore_brought_back_is_ended_again_under_its_own_erasure(
    room: Room, bus: Bus, superuser: Superuser
):
    """Both databases as before a disconnect: connection, ciphertext and key are there again."""
    connection_id, erasure_id = await room.connect(), new_id()
    await bus.publish(ErasureRecalledV1(erasure_id=erasure_id, connection_id=connection_id))
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert (told.connection_id, told.erasure_id) == (connection_id, erasure_id)
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]
    assert await room.list() == []
    await bus.publish(ErasureRecalledV1(erasure_id=erasure_id, connection_id=connection_id))
    await wait_for(lambda: bus.settled("auth-retention"))
    assert len(await bus.told(ConnectionRevokedV2)) == 1


async def test_keys_that_an_earlier_release_kept_beside_the_grants_move_to_their_store(
    room: Room, transactions: Transactions, keys: StoredKeys, superuser: Superuser
):
    connection_id = await room.connect()
    row = superuser.keys.execute("SELECT wrapped_key, key_id, created_at FROM grant_key").fetchone()
    assert row is not None
    superuser.keys.execute("DELETE FROM grant_key")
    superuser.execute("UPDATE sealed_grant SET data_key_id = NULL")
    superuser.execute(
        "INSERT INTO data_key (connection_id, workspace_id, wrapped_key, key_id, created_at)"
        " VALUES (%s, %s, %s, %s, %s)",
        (connection_id, room.workspace_id, *row),
    )
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["refreshing"]
    await move_keys(transactions, keys)
    assert superuser.execute("SELECT count(*) FROM data_key").fetchone() == (0,)
    assert keys_in(superuser) == named_in(superuser)
    assert len((await room.borrow(connection_id)).leases) == 1


@pytest.mark.promise("P12")
async def test_the_serving_role_can_read_a_key_only_by_its_id_and_list_none(
    room: Room, keys: StoredKeys, environment: dict[str, str], superuser: Superuser
):
    await room.connect()
    (key_id,) = keys_in(superuser)
    assert (await keys.find([key_id]))[key_id].key_id
    denied = psycopg.errors.InsufficientPrivilege
    with psycopg.connect(environment["DATABASE_URL_AUTH_KEYS"], autocommit=True) as serving:
        for statement in (
            "SELECT data_key_id FROM grant_key",
            "UPDATE grant_key SET key_id = 'x'",
            "TRUNCATE grant_key",
        ):
            with pytest.raises(denied):
                serving.execute(statement.encode())
        serving.execute("SET ROLE auth_keys_worker")
        assert serving.execute("SELECT data_key_id FROM grant_key").fetchall() == [(key_id,)]
        with pytest.raises(denied):
            serving.execute("SELECT wrapped_key FROM grant_key")
        serving.execute("RESET ROLE")
        with pytest.raises(psycopg.errors.RaiseException, match="too many"):
            serving.execute("SELECT * FROM keys_of(%s)", ([new_id() for _ in range(201)],))
