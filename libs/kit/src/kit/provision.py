"""Makes a service's database and its three roles on a PostgreSQL server, as its superuser. Safe to repeat."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kit.secret import Secret


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
