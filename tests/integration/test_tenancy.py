"""No query crosses workspaces, even one whose WHERE was forgotten: every table of every service, with rows in it."""

from __future__ import annotations

import psycopg
import pytest
from kit.testing.data_maps import unprotected
from kit.testing.services import ServiceEnvironment
from kit.testing.tenancy import TENANTS, try_without_where
from signoff.installation import DATABASES

SERVICE_OF = {database: database for database in DATABASES} | {"auth_keys": "auth"}
"""Whose a database is."""

SEEN_BY_LOOPS_ONLY = {
    "auth": {"attempt", "late_revocation", "letter", "letter_sent", "openid_start", "proof"},
    "auth_keys": {"grant_key"},
    "publisher": {"audit_finding", "journal"},
}
"""Tables of which no request sees a row, not even its own."""

WRITTEN_FOR_OTHERS = {
    "auth": {"letter", "openid_start", "openid_waiting", "security_event"},
    "auth_keys": {"grant_key"},
}
"""Tables into which a request writes about others, or before it is known who asks; it does not read that there."""


@pytest.mark.promise("P11")
@pytest.mark.promise("P12")
@pytest.mark.parametrize("database", SERVICE_OF)
def test_a_query_without_its_where_stays_within_its_tenant(database: str, service_environment: ServiceEnvironment):
    environment = service_environment(SERVICE_OF[database])
    superuser_url = environment[f"DATABASE_SUPERUSER_URL_{database.upper()}"]
    assert unprotected(superuser_url, database) == []
    trial = try_without_where(superuser_url, environment[f"DATABASE_URL_{database.upper()}"])
    assert trial.crossed == []
    assert trial.tables - trial.seen == SEEN_BY_LOOPS_ONLY.get(database, set())
    assert trial.given == WRITTEN_FOR_OTHERS.get(database, set())
    # retention knows of no tenant: what it keeps is found by who has the number of an erasure.
    assert bool(trial.tables) == (database != "retention")


def test_the_trial_finds_a_table_that_is_open(service_environment: ServiceEnvironment):
    environment = service_environment("metrics")
    superuser_url = environment["DATABASE_SUPERUSER_URL_METRICS"]
    with psycopg.connect(superuser_url) as connection:
        connection.execute("DROP POLICY tenant ON snapshot")
        connection.execute("CREATE POLICY tenant ON snapshot TO metrics USING (true)")
    trial = try_without_where(superuser_url, environment["DATABASE_URL_METRICS"])
    found = trial.crossed
    assert {line.partition(":")[0] for line in found} == trial.given == {"snapshot"}
    for whom in ("nobody", *TENANTS):
        assert f"snapshot: {whom} reads rows of others" in found
