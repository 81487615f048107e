"""A person gets all that auth holds about them, in one document, and nothing that opens anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.data_map import DATA_MAP, KEYS_MAP
from auth.domain.exporting import EXPORT_PERIOD, EXPORTS_MAX
from auth.domain.presence import RECENT
from contracts.retention import SubjectKind
from kit.clock import MovableClock
from kit.database import Database
from kit.erasure import Apart, Kind, rules_of
from kit.holdings import Held, held_about
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.secret import Secret
from kit.testing.tenancy import fill, tables_in

from services.auth.tests.client import HOME, Auth, Superuser
from services.auth.tests.test_second_factors import Person

EXPORT = "/api/account/export"


@pytest.fixture
async def stores(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[list[Apart]]:
    """Both databases, with nothing running that would forget what is old."""
    found = []
    for name, data_map in (("auth", DATA_MAP), ("auth_keys", KEYS_MAP)):
        database = Database(name, Secret(environment[f"DATABASE_URL_{name.upper()}"]), clock, connections_max=2)
        await database.open()
        found.append(Apart(database, data_map))
    yield found
    for store in found:
        await store.database.close()


def fill_for(superuser: Superuser, account_id: UUID) -> None:
    """A row in every table that leads to the account, in whatever way it does."""
    owner = str(account_id)
    leads = {"account_id": owner, "invited_by": owner, "closed_by": owner, "key_id": str(new_id())}
    fill(superuser, tables_in(superuser), [leads])
    fill(superuser.keys, tables_in(superuser.keys), [{"connection_id": owner}])


@pytest.mark.promise("P70")
async def test_every_column_of_the_data_map_that_is_about_a_person_is_told_unless_it_is_a_secret(
    stores: list[Apart], superuser: Superuser
):
    person, other = new_id(), new_id()
    for account_id in (person, other):
        fill_for(superuser, account_id)
    told = {held.table: held for held in await held_about(stores, SubjectKind.ACCOUNT, person)}
    mapped = [table for store in stores for table, _ in rules_of(store.data_map, SubjectKind.ACCOUNT)]
    assert told.keys() == {table.name for table in mapped} | {"held_event"}
    for table in mapped:
        held = told[table.name]
        assert dict(held.columns) == dict(table.columns), table.name
        # A table without a row proves nothing: `fill_for` must know how it leads to the person.
        assert len(held.rows) == 1, table.name
        open_columns = {name for name, kind in table.columns.items() if kind is not Kind.SECRET}
        assert held.rows[0].keys() == open_columns, table.name
        assert str(other) not in json.dumps(held.rows), table.name


def rows_of(document: dict[str, Any], table: str) -> list[dict[str, Any]]:
    (held,) = [each for each in document["held"] if each["table"] == table]
    rows: list[dict[str, Any]] = held["rows"]
    return rows


def secrets_in(superuser: psycopg.Connection[Any], told: list[Any]) -> list[str]:
    """What stands in the columns that hold secrets, as the document would spell it."""
    found = []
    for table in told:
        for name, kind in table["columns"].items():
            if kind == Kind.SECRET:
                rows = superuser.execute(f"SELECT to_jsonb({name}) #>> '{{}}' FROM {table['table']}")  # noqa: S608
                found += [value for (value,) in rows.fetchall() if value]
    return found


@pytest.mark.promise("P70")
async def test_a_person_is_told_what_is_held_about_them_and_no_secret(
    auth: Auth, clock: MovableClock, superuser: Superuser
):
    account_id = await auth.sign_up(full_name="Olive Owner")
    await auth.sign_up("other@example.com", full_name="Somebody Else")
    person = Person(auth, clock)
    await person.set_up()
    headers = await person.headers()
    document = await auth.ask("GET", EXPORT, headers=headers)
    assert document["account_id"] == str(account_id)
    (account,) = rows_of(document, "account")
    assert (account["email"], account["full_name"]) == ("owner@example.com", "Olive Owner")
    assert HOME.address in {row["client_address"] for row in rows_of(document, "security_event")}
    assert len(rows_of(document, "recovery_code")) == len(person.recovery_codes)
    assert rows_of(document, "credential")[0].keys() == {"account_id", "changed_at"}
    assert rows_of(document, "grant_key")[0]["connection_id"] == str(account_id)
    text = json.dumps(document)
    assert "other@example.com" not in text
    in_keys = [each for each in document["held"] if each["table"] == "grant_key"]
    in_own = [each for each in document["held"] if each["table"] not in ("grant_key", "held_event")]
    stored = secrets_in(superuser, in_own) + secrets_in(superuser.keys, in_keys)
    assert len(stored) > len(person.recovery_codes) + 4
    assert [secret for secret in [*stored, person.secret, *person.recovery_codes] if secret in text] == []


@pytest.mark.promise("P70")
async def test_an_export_needs_a_recent_proof_is_noted_and_has_a_limit(auth: Auth, clock: MovableClock):
    await auth.sign_up()
    token = await auth.sign_in(place=HOME)
    clock.advance(RECENT)
    refused = await auth.http.get(EXPORT, headers=await auth.headers(token))
    assert (refused.status_code, refused.json()["type"]) == (403, TYPE_PREFIX + "presence-needed")
    token = await auth.sign_in(place=HOME)
    headers = await auth.headers(token)
    for _ in range(EXPORTS_MAX):
        await auth.ask("GET", EXPORT, headers=headers)
    answer = await auth.http.get(EXPORT, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (429, TYPE_PREFIX + "too-many-exports")
    assert answer.headers["Retry-After"] == "86400"
    events = (await auth.ask("GET", "/api/account/security-events", headers=headers))["events"]
    assert [each["kind"] for each in events].count("data_exported") == EXPORTS_MAX
    clock.advance(EXPORT_PERIOD)
    await auth.ask("GET", EXPORT, headers=await auth.headers(await auth.sign_in()))


async def test_whose_account_is_looked_at_is_who_asks(stores: list[Apart], superuser: Superuser):
    """Nobody's id finds nothing, and the document says where it looked."""
    fill_for(superuser, new_id())
    told: list[Held] = await held_about(stores, SubjectKind.ACCOUNT, new_id())
    assert len(told) > 20
    assert [held.table for held in told if held.rows or held.more] == []
