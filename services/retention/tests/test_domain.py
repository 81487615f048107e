"""The policy keeps its own promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from contracts.retention import SubjectKind
from kit.ids import new_id
from kit.testing.data_maps import differences, unprotected
from kit.testing.services import ServiceEnvironment
from retention.data_map import DATA_MAP
from retention.domain import policy
from retention.domain.erasure import digest_of

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.promise("P61")
@pytest.mark.promise("P63")
@pytest.mark.parametrize("kind", SubjectKind)
def test_every_kind_is_erased_and_warned_of_before_its_promise(kind: SubjectKind):
    assert policy.due_at(kind, SINCE) <= SINCE + timedelta(days=30)
    assert policy.execute_at(kind, SINCE) < policy.warn_at(kind, SINCE) < policy.due_at(kind, SINCE)


@pytest.mark.promise("P62")
def test_backups_rotate_well_before_their_promise():
    assert {"data": timedelta(days=90), "keys": timedelta(days=7)} == policy.BACKUP_PROMISE
    for rotation, kept in policy.BACKUP_KEPT.items():
        assert kept < policy.BACKUP_PROMISE[rotation]


def test_a_rule_that_waits_as_long_as_it_promises_is_refused():
    with pytest.raises(ValueError, match="needs time"):
        policy.Rule(timedelta(days=30), timedelta(days=30), "")


def test_a_digest_tells_kinds_apart():
    subject = new_id()
    assert digest_of(SubjectKind.ACCOUNT, subject) != digest_of(SubjectKind.WORKSPACE, subject)


@pytest.mark.promise("P66")
def test_the_data_map_names_everything_that_is_stored(service_environment: ServiceEnvironment):
    superuser_url = service_environment("retention")["DATABASE_SUPERUSER_URL_RETENTION"]
    assert differences(superuser_url, DATA_MAP) == []
    assert unprotected(superuser_url, "retention") == []


def test_requests_can_neither_write_nor_see_whom_an_erasure_is_about(service_environment: ServiceEnvironment):
    url = service_environment("retention")["DATABASE_URL_RETENTION"]
    for statement in ("SELECT subject_id FROM erasure", "DELETE FROM erasure", "SELECT * FROM backup"):
        with (
            psycopg.connect(url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())
