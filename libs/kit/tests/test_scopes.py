"""Row level security on the real server: what a transaction sees follows from whom it acts for, not from its WHERE."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.ids import new_id
from kit.secret import Secret

MINE, YOURS = new_id(), new_id()


@pytest.fixture
async def posts(units: Units[Transaction]) -> dict[UUID, UUID]:
    """One row in each of two workspaces; the post by its workspace."""
    made = {MINE: new_id(), YOURS: new_id()}
    async with units(Scope.worker()) as transaction:
        await transaction.execute_many("INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)", list(made.items()))
    return made


async def seen(units: Units[Transaction], scope: Scope) -> set[UUID]:
    """Every post that a query without a WHERE gives."""
    async with units(scope) as transaction:
        return set(await transaction.scalars("SELECT post_id FROM effect"))


@pytest.mark.promise("P12")
async def test_a_workspace_sees_its_rows_even_without_a_where(units: Units[Transaction], posts: dict[UUID, UUID]):
    assert await seen(units, Scope.workspace(MINE)) == {posts[MINE]}
    assert await seen(units, Scope.workspace(YOURS, new_id())) == {posts[YOURS]}
    assert await seen(units, Scope.workspace(new_id())) == set()


@pytest.mark.promise("P12")
async def test_without_a_workspace_nothing_is_seen(units: Units[Transaction], posts: dict[UUID, UUID]):
    assert await seen(units, Scope.nobody()) == set()
    assert await seen(units, Scope.account(new_id())) == set()
    assert await seen(units, Scope.worker()) == set(posts.values())


@pytest.mark.promise("P12")
async def test_nothing_of_another_workspace_is_changed(units: Units[Transaction], posts: dict[UUID, UUID]):
    async with units(Scope.workspace(MINE)) as transaction:
        assert await transaction.execute("DELETE FROM effect WHERE post_id = %s", (posts[YOURS],)) == 0
        assert await transaction.execute("UPDATE effect SET post_id = %s", (new_id(),)) == 1
    assert posts[YOURS] in await seen(units, Scope.worker())


@pytest.mark.promise("P12")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)",
        "UPDATE effect SET workspace_id = %s, post_id = %s",
    ],
)
async def test_nothing_is_written_into_another_workspace(
    units: Units[Transaction], posts: dict[UUID, UUID], statement: str
):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with units(Scope.workspace(MINE)) as transaction:
            await transaction.connection.execute(statement.encode(), (YOURS, new_id()))
    assert await seen(units, Scope.worker()) == set(posts.values())


@pytest.mark.promise("P12")
@pytest.mark.parametrize("ended_by", ["commit", "error"])
async def test_a_scope_ends_with_its_transaction(database_url: str, posts: dict[UUID, UUID], ended_by: str):
    """One connection for all: what the first transaction was must not cling to it."""
    narrow = Database("scheduler", Secret(database_url), SystemClock(), connections_max=1)
    await narrow.open()
    try:
        for scope in (Scope.worker(), Scope.workspace(MINE, new_id())):
            try:
                async with narrow.transaction(scope) as transaction:
                    assert await transaction.scalar("SELECT count(*) FROM effect") > 0
                    if ended_by == "error":
                        await transaction.execute("SELECT 1 / 0")
            except psycopg.errors.DivisionByZero:
                assert ended_by == "error"
            async with narrow.transaction(Scope.nobody()) as transaction:
                assert await transaction.scalar("SELECT count(*) FROM effect") == 0
                assert await transaction.scalar("SELECT current_user") == "scheduler"
    finally:
        await narrow.close()


async def test_the_serving_role_cannot_turn_the_protection_off(units: Units[Transaction], posts: dict[UUID, UUID]):
    for statement in (
        "ALTER TABLE effect DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON effect",
        "SET ROLE scheduler_owner",
        "CREATE TABLE theirs (id int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with units(Scope.workspace(MINE)) as transaction:
                await transaction.connection.execute(statement.encode())


async def test_what_failed_left_nothing(units: Units[Transaction]):
    post = new_id()
    with pytest.raises(RuntimeError, match="after the insert"):
        async with units(Scope.workspace(MINE)) as transaction:
            await transaction.execute("INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)", (MINE, post))
            raise RuntimeError("after the insert")
    assert post not in await seen(units, Scope.worker())


async def test_what_is_done_when_committed_is_not_done_before_nor_after_a_failure(units: Units[Transaction]):
    done: list[str] = []
    async with units(Scope.worker()) as transaction:
        transaction.when_committed(lambda: done.append("committed"))
        assert done == []
    with pytest.raises(ValueError, match="no commit"):
        async with units(Scope.worker()) as transaction:
            transaction.when_committed(lambda: done.append("failed"))
            raise ValueError("no commit")
    assert done == ["committed"]
