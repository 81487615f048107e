"""Makes a service's database and its three roles on a PostgreSQL server, as its superuser. Safe to repeat.

`python -m kit.provision auth content …`, with DATABASE_SUPERUSER_URL, and for each service the URLs it is to be
reached by: DATABASE_URL_<SERVICE> and DATABASE_OWNER_URL_<SERVICE>. Their passwords become those of the roles.
"""

from __future__ import annotations

import sys

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kit.secret import Secret
from kit.settings import Environment, SettingError


def provision(
    superuser_url: Secret,
    service: str,
    *,
    login_password: Secret,
    owner_password: Secret,
    database_name: str | None = None,
) -> None:
    """Create the database (named as the service if not said otherwise) and the three roles.

    The login role may take on the worker's role inside a transaction, but does not inherit its sight.
    """
    database_name = database_name or service
    database = sql.Identifier(database_name)
    login, worker, owner = (sql.Identifier(name) for name in (service, f"{service}_worker", f"{service}_owner"))
    with psycopg.connect(superuser_url.reveal(), autocommit=True) as connection:
        for name, password in (
            (service, login_password),
            (f"{service}_worker", None),
            (f"{service}_owner", owner_password),
        ):
            _ensure_role(connection, name, password)
        connection.execute(sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(worker, login))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database_name,)).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, login))
    with psycopg.connect(make_conninfo(superuser_url.reveal(), dbname=database_name), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}, {}").format(login, worker))


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], name: str, password: Secret | None) -> None:
    role = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER NOBYPASSRLS").format(role))
    if password is not None:
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, password.reveal()))


def main(arguments: list[str], environment: Environment) -> None:
    superuser_url = environment.secret("DATABASE_SUPERUSER_URL")
    for service in arguments:
        login, owner = f"DATABASE_URL_{service.upper()}", f"DATABASE_OWNER_URL_{service.upper()}"
        database_name, login_password = _reached_by(environment, login, role=service)
        owned_name, owner_password = _reached_by(environment, owner, role=f"{service}_owner")
        if owned_name != database_name:
            raise SettingError(f"{login} and {owner} name different databases")
        provision(
            superuser_url,
            service,
            login_password=login_password,
            owner_password=owner_password,
            database_name=database_name,
        )


def _reached_by(environment: Environment, name: str, *, role: str) -> tuple[str, Secret]:
    """The database and the password in a URL, which must be the role's."""
    try:
        parts = conninfo_to_dict(environment.secret(name).reveal())
    except psycopg.ProgrammingError:
        # What libpq says of it would repeat the password.
        raise SettingError(f"{name} is not a PostgreSQL URL") from None
    if parts.get("user") != role or not parts.get("password") or not parts.get("dbname"):
        raise SettingError(f"{name} must have the user {role}, a password and a database")
    return str(parts["dbname"]), Secret(str(parts["password"]))


if __name__ == "__main__":
    import os

    try:
        main(sys.argv[1:], Environment(os.environ))
    except SettingError as problem:
        sys.exit(str(problem))
