"""The data map names everything that is stored, and every tenant table is protected; stale rows go by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from auth.data_map import DATA_MAP, KEYS_MAP
from auth.data_map.revocations import OF_NOBODY
from auth.domain.sessions import LIFETIME
from contracts.retention import SubjectKind
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.data_maps import differences, unprotected

from services.auth.tests.client import Room
from services.auth.tests.test_connecting import counts


def test_everything_stored_is_in_the_data_map(environment: dict[str, str]):
    assert differences(environment["DATABASE_SUPERUSER_URL_AUTH"], DATA_MAP) == []
    assert differences(environment["DATABASE_SUPERUSER_URL_AUTH_KEYS"], KEYS_MAP) == []


@pytest.mark.promise("P12")
def test_every_table_of_a_tenant_or_a_person_is_protected(environment: dict[str, str]):
    url = environment["DATABASE_SUPERUSER_URL_AUTH"]
    assert unprotected(url, "auth") == []
    assert unprotected(environment["DATABASE_SUPERUSER_URL_AUTH_KEYS"], "auth_keys") == []
    with psycopg.connect(url) as connection:
        forced = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND relforcerowsecurity"
        ).fetchall()
    assert {name for (name,) in forced} == {table.name for table in DATA_MAP.tables}


def test_every_table_knows_some_subject():
    for table in (*DATA_MAP.tables, *KEYS_MAP.tables):
        assert bool(table.subjects) != (table.name in OF_NOBODY), table.name
        assert set(table.subjects) <= set(SubjectKind)


async def test_what_is_over_is_forgotten(room: Room, clock: MovableClock, superuser: psycopg.Connection[Any]):
    await room.auth.sign_in()
    await room.borrow(await room.connect("bluesky"))
    await room.leave()
    assert counts(superuser, "session", "lease", "authorisation") == [1, 1, 1]
    clock.advance(LIFETIME + timedelta(minutes=1))
    await wait_for(lambda: counts(superuser, "session", "lease", "authorisation") == [0, 0, 0])
