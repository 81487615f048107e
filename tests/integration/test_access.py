"""Who gets where: every route, as every role and key, in one's own workspace and in others, agrees with one table.

Three places say what a route needs: its guard, the permission table of `contracts.access` and docs/api.md. The running
system is asked for everything once; then the answers are compared with each of them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contracts.access import PERMISSIONS, Role
from gateway.domain.routes import ROUTES, Access, Route
from kit import rereading
from kit.passport import Guard
from signoff.installation import SERVICES

from tests.integration.access.asking import KEY_PERMISSIONS, Answers, gather, guard_of
from tests.integration.access.place import LET_THROUGH

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    with pytest.MonkeyPatch.context() as patched:
        # Replaced files are read within this time, not within a second.
        patched.setattr(rereading, "LOOK_SECONDS", 0.05)
        return gather(tmp_path_factory.mktemp("access") / "data")


def guard(answers: Answers, row: Route) -> Guard | None:
    return guard_of(answers.guards[row.owner, row.method, row.typed_path])


def needs(found: Guard | None) -> str:
    """As docs/api.md writes it: `(session)` where the permission alone would let a key through."""
    if found is None:
        return "–"
    if found.permission is None:
        return "session"
    return found.permission.value


def documented() -> dict[tuple[str, str], str]:
    """What docs/api.md says that each operation needs, by method and shape of path."""
    found = {}
    for line in DOCUMENT.read_text().splitlines():
        row = re.match(
            r"\| (GET|HEAD|POST|PUT|PATCH|DELETE) (\S+?)(?:, (/\S+))?(?= [`(|]|\?| \|)[^|]*\| ([^|]+) \|", line
        )
        if row is None:
            continue
        method, path, also, needed = row.groups()
        found[method, _shape(path)] = needed.strip()
        if also:
            found[method, _shape(path + also.removeprefix("/" + path.rsplit("/", 1)[1]))] = needed.strip()
    return found


def _shape(path: str) -> str:
    return re.sub(r"\{[\w:]+\}", "{}", path.partition("?")[0])


@pytest.mark.promise("P07")
def test_the_edge_the_guards_and_the_document_agree(answers: Answers):
    told = documented()
    for row in ROUTES:
        found, said = guard(answers, row), told[row.method, _shape(row.path)]
        expected = {Access.OPEN: "–", Access.SESSION: "session"}.get(row.access)
        assert expected in (None, needs(found)), row
        if found is None:
            assert said.startswith(("–", "the ", "nothing but the id")), (row, said)
            continue
        word = re.match(r"`?([\w.]+)`?", said)
        assert word is not None, (row, said)
        assert word[1] == needs(found), (row, said)
        marked = found.permission is not None and found.session and found.permission in KEY_PERMISSIONS
        assert ("(session)" in said) == marked, (row, said)


def test_every_public_route_of_a_service_is_served_by_the_edge(answers: Answers):
    public = {(service, method, path) for service, method, path in answers.guards if "/internal/" not in path}
    assert public == {(row.owner, row.method, row.typed_path) for row in ROUTES}


@pytest.mark.promise("P07")
@pytest.mark.promise("P11")
@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_through_where_the_table_says_so(answers: Answers, role: Role):
    for row in ROUTES:
        found = guard(answers, row)
        allowed = found is None or found.permission is None or found.permission in PERMISSIONS[role]
        expected = "through" if allowed else f"forbidden:{needs(found)}"
        assert answers.own[row, role.value].verdict == expected, row


@pytest.mark.promise("P06")
@pytest.mark.parametrize("permission", KEY_PERMISSIONS)
def test_a_key_gets_through_with_its_permission_only_and_never_as_a_person(answers: Answers, permission: str):
    reached = 0
    for row in ROUTES:
        found, verdict = guard(answers, row), answers.own[row, f"key:{permission}"].verdict
        if found is None:
            assert verdict == "through", row
        elif found.session:
            assert verdict == "session-needed", row
        else:
            assert verdict == ("through" if found.permission == permission else f"forbidden:{needs(found)}"), row
            reached += verdict == "through"
    used = {found.permission for row in ROUTES if (found := guard(answers, row)) and not found.session}
    assert (reached > 0) == (permission in used)


@pytest.mark.promise("P07")
def test_nobody_gets_no_further_than_what_is_open(answers: Answers):
    for row in ROUTES:
        expected = "through" if row.access is Access.OPEN else "unauthenticated"
        assert answers.own[row, "nobody"].verdict == expected, row


@pytest.mark.promise("P11")
def test_another_workspace_is_as_if_it_did_not_exist(answers: Answers):
    assert {row for row, _ in answers.foreign} == {row for row in ROUTES if row.access is Access.WORKSPACE}
    for (row, who), found in answers.foreign.items():
        assert {answer.status for answer in found} == {404}, (row, who)
        assert len({answer.body for answer in found}) == 1, (row, who)


@pytest.mark.promise("P11")
def test_what_is_in_another_workspace_does_not_exist_in_ones_own(answers: Answers):
    assert len(answers.others_ids) >= 5
    for row, (unknown, theirs) in answers.others_ids.items():
        assert theirs == unknown, row
        assert unknown.status == 404 or row.path.endswith("/forecast"), row


@pytest.mark.promise("P06")
def test_a_key_bound_to_connections_finds_no_other(answers: Answers):
    assert answers.unreached
    for row, answer in answers.unreached.items():
        found = guard(answers, row)
        assert found is not None
        assert answer.verdict == ("session-needed" if found.session else "not-found"), row


@pytest.mark.promise("P97")
def test_what_is_between_services_is_for_those_it_names(answers: Answers):
    assert {service for service, _, _, _ in answers.internal} == set(SERVICES) - {"gateway"}
    for (service, method, path, who), answer in answers.internal.items():
        found = guard_of(answers.guards[service, method, path])
        if found is None:
            assert (path, answer.status) == ("/internal/jwks", LET_THROUGH)
            continue
        assert found.services, path
        if who in found.services:
            assert answer.verdict not in ("unauthenticated", "forbidden:service"), (path, who)
        else:
            assert answer.verdict == ("unauthenticated" if who == "nobody" else "forbidden:service"), (path, who)


@pytest.mark.promise("P97")
def test_the_edge_knows_no_internal_path(answers: Answers):
    assert set(answers.internal_at_the_edge) == {
        (method, path) for _, method, path in answers.guards if path.startswith("/internal/")
    }
    for (method, path), status in answers.internal_at_the_edge.items():
        # The edge has keys of its own to show, as every process has.
        assert status == (200 if path == "/internal/jwks" else 404), (method, path)


@pytest.mark.promise("P97")
def test_every_services_keys_are_replaced_while_requests_flow_and_none_is_refused(answers: Answers):
    seen = answers.replacing
    assert len(seen.statuses) >= 60
    assert set(seen.statuses) == {200}
    assert seen.kids[0] != seen.kids[1]
    assert seen.old_passport == [200, 401]
