"""A service gets a database of its own and three roles, none of which can do more than its part."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from kit import provision
from kit.embedded.postgres import EmbeddedPostgres
from kit.secret import Secret
from kit.settings import Environment, SettingError
from psycopg import sql

# Roles belong to the whole server, so these are of no service that other tests run.
LEDGER, STRANGER = "ledger", "stranger"


@pytest.fixture
def variables(
    postgres_server: EmbeddedPostgres, database_administrator: psycopg.Connection
) -> Iterator[dict[str, str]]:
    """What `python -m kit.provision ledger stranger` is told; both are gone afterwards."""
    told = {"DATABASE_SUPERUSER_URL": postgres_server.superuser_url}
    for service in (LEDGER, STRANGER):
        for variable, role in (("DATABASE_URL", service), ("DATABASE_OWNER_URL", f"{service}_owner")):
            url = postgres_server.url(role=role, password="only in tests", database=service)
            told[f"{variable}_{service.upper()}"] = url
    yield told
    for service in (LEDGER, STRANGER):
        database = sql.Identifier(service)
        database_administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        for name in (service, f"{service}_worker", f"{service}_owner"):
            database_administrator.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def run(variables: dict[str, str]) -> None:
    provision.main([LEDGER, STRANGER], Environment(variables))


def refused(url: str, *statements: str) -> bool:
    """Whether the last statement is refused for want of a right, after the others were not."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements[:-1]:
            connection.execute(statement.encode())
        try:
            connection.execute(statements[-1].encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


def test_the_owner_makes_tables_and_the_login_only_uses_them(variables: dict[str, str]):
    run(variables)
    login, owner = variables["DATABASE_URL_LEDGER"], variables["DATABASE_OWNER_URL_LEDGER"]
    assert not refused(owner, "CREATE TABLE line (id int)", "GRANT SELECT ON line TO ledger_worker")
    assert refused(login, "CREATE TABLE mine (id int)")
    assert refused(login, "SELECT * FROM line")
    assert not refused(login, "BEGIN", "SET LOCAL ROLE ledger_worker", "SELECT * FROM line")
    assert refused(login, "SET ROLE ledger_owner")


def test_nobody_is_let_into_a_neighbours_database(variables: dict[str, str]):
    run(variables)
    parts = urlsplit(variables["DATABASE_URL_LEDGER"])
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(urlunsplit(parts._replace(path="/stranger")))


def test_no_role_stands_above_row_level_security(variables: dict[str, str], database_administrator: psycopg.Connection):
    run(variables)
    roles = database_administrator.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname ~ '^ledger'"
        " ORDER BY rolname"
    ).fetchall()
    assert roles == [
        ("ledger", False, False, False, True),
        ("ledger_owner", False, False, False, True),
        ("ledger_worker", False, False, False, False),
    ]


def test_it_can_be_repeated_and_sets_the_passwords_anew(variables: dict[str, str]):
    run(variables)
    assert not refused(variables["DATABASE_OWNER_URL_LEDGER"], "CREATE TABLE kept (id int)")
    changed = {name: url.replace("only%20in%20tests", "another") for name, url in variables.items()}
    assert changed != variables
    run(changed)
    assert not refused(changed["DATABASE_OWNER_URL_LEDGER"], "SELECT * FROM kept")


def test_a_password_may_hold_anything(variables: dict[str, str]):
    provision.provision(
        Secret(variables["DATABASE_SUPERUSER_URL"]),
        LEDGER,
        login_password=Secret("it's; DROP ROLE ledger_owner --"),
        owner_password=Secret("\\'\""),
    )
    run(variables)
    assert not refused(variables["DATABASE_OWNER_URL_LEDGER"], "SELECT 1")


@pytest.mark.parametrize(
    ("name", "url", "complaint"),
    [
        ("DATABASE_URL_LEDGER", "", "DATABASE_URL_LEDGER is not set"),
        ("DATABASE_URL_LEDGER", "hunter2 is no url", "DATABASE_URL_LEDGER is not a PostgreSQL URL"),
        ("DATABASE_URL_LEDGER", "postgresql://root:hunter2@h/ledger", "must have the user ledger"),
        ("DATABASE_URL_LEDGER", "postgresql://ledger@h/ledger", "must have the user ledger, a password"),
        ("DATABASE_OWNER_URL_LEDGER", "postgresql://ledger_owner:hunter2@h/other", "name different databases"),
    ],
)
def test_a_wrong_url_is_named_without_its_password(variables: dict[str, str], name: str, url: str, complaint: str):
    with pytest.raises(SettingError, match=complaint) as caught:
        run(variables | {name: url})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
