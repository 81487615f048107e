"""The test that every service runs on its data map: nothing that is stored may be missing from it."""

from __future__ import annotations

import psycopg

from kit.erasure import DataMap

MESSAGING_TABLES = {"outbox", "inbox", "held_event", "consumer_lead", "erasure_task", "alembic_version"}
"""Tables that kit gives every service; they hold ids and states, and kit's own tests cover them."""


def differences(superuser_url: str, data_map: DataMap) -> list[str]:
    """What the migrated database and the data map disagree about, a line each."""
    with psycopg.connect(superuser_url) as connection:
        stored: dict[str, set[str]] = {}
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            stored.setdefault(str(table), set()).add(str(column))
    mapped = {table.name: set(table.columns) for table in data_map.tables}
    found = [f"table {name} is not in the data map" for name in stored.keys() - mapped.keys() - MESSAGING_TABLES]
    found += [f"table {name} is in the data map, not in the database" for name in mapped.keys() - stored.keys()]
    for name in mapped.keys() & stored.keys():
        found += [f"column {name}.{column} is not in the data map" for column in stored[name] - mapped[name]]
        found += [f"column {name}.{column} is not in the database" for column in mapped[name] - stored[name]]
    return sorted(found)


def unprotected(superuser_url: str, service: str) -> list[str]:
    """Tables of a workspace, a person or an organisation that the serving role could read across them."""
    query = """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
          AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid
                      AND a.attname IN ('workspace_id', 'account_id', 'organisation_id'))
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND pg_get_userbyid(c.relowner) <> %(service)s)
    """
    with psycopg.connect(superuser_url) as connection:
        return [str(row[0]) for row in connection.execute(query, {"service": service})]
