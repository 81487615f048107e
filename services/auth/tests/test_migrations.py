"""Migrations take a database along that has data from before them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from kit.ids import new_id
from kit.testing.services import MigrateOld

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)


def add_account(superuser: psycopg.Connection[Any], email: str, *, company: str | None = None) -> UUID:
    account_id = new_id()
    superuser.execute(
        "INSERT INTO account (account_id, email, company, time_zone, language, age_attested_at, created_at, state)"
        " VALUES (%s, %s, %s, 'UTC', 'en', %s, %s, 'active')",
        (account_id, email, company, BEGINNING, BEGINNING),
    )
    return account_id


def add_workspace(superuser: psycopg.Connection[Any], name: str, owners: list[UUID], *, day: int) -> UUID:
    workspace_id, at = new_id(), BEGINNING + timedelta(days=day)
    superuser.execute(
        "INSERT INTO workspace (workspace_id, name, time_zone, created_at) VALUES (%s, %s, 'UTC', %s)",
        (workspace_id, name, at),
    )
    for minute, owner in enumerate(owners):
        superuser.execute(
            "INSERT INTO member (workspace_id, account_id, role, added_at) VALUES (%s, %s, 'owner', %s)",
            (workspace_id, owner, at + timedelta(minutes=minute)),
        )
    return workspace_id


def test_workspaces_from_before_go_to_one_organisation_of_each_first_owner(old_database: MigrateOld):
    with old_database("auth", "0005") as (superuser, upgrade):
        agency = add_account(superuser, "agency@example.com", company="Acorn & Sons")
        person = add_account(superuser, "person@example.com")
        gone = add_account(superuser, "gone@example.com")
        superuser.execute("UPDATE account SET deleted_at = %s WHERE account_id = %s", (BEGINNING, gone))
        first = add_workspace(superuser, "First", [agency, person], day=1)
        second = add_workspace(superuser, "Second", [agency], day=2)
        own = add_workspace(superuser, "Own", [person, agency], day=3)
        inherited = add_workspace(superuser, "Inherited", [gone, person], day=4)
        closed = add_workspace(superuser, "Closed", [gone], day=5)
        superuser.execute("UPDATE workspace SET deleted_at = %s WHERE workspace_id = %s", (BEGINNING, closed))
        upgrade()
        organisations = dict(superuser.execute("SELECT name, organisation_id FROM organisation").fetchall())
        assert organisations.keys() == {"Acorn & Sons", "Own"}
        workspaces = dict(superuser.execute("SELECT workspace_id, organisation_id FROM workspace").fetchall())
        agencys, persons = organisations["Acorn & Sons"], organisations["Own"]
        assert workspaces == {first: agencys, second: agencys, own: persons, inherited: persons, closed: None}
        members = superuser.execute("SELECT organisation_id, account_id, role FROM organisation_member").fetchall()
        assert set(members) == {(agencys, agency, "owner"), (persons, person, "owner")}
        settings = superuser.execute("SELECT DISTINCT voice_guidelines, second_factor_required FROM workspace")
        assert settings.fetchall() == [("", False)]


def test_people_from_before_are_verified_and_can_sign_in(old_database: MigrateOld):
    with old_database("auth", "0002") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO account (account_id, email, time_zone, language, age_attested_at, created_at)"
            " VALUES (%s, 'owner@example.com', 'UTC', 'en', %s, %s)",
            (new_id(), BEGINNING, BEGINNING),
        )
        superuser.execute("INSERT INTO credential SELECT account_id, 'hash', created_at FROM account")
        upgrade()
        found = superuser.execute("SELECT state FROM credential_of('owner@example.com')").fetchall()
        assert found == [("active",)]
