"""The table of roles and permissions is whole, and says what the product says of its roles."""

from __future__ import annotations

import pytest
from contracts import export
from contracts.access import PERMISSIONS, RULES, Permission, Role, covers


@pytest.mark.promise("P07")
def test_every_permission_has_one_line_of_the_table():
    assert [rule.permission for rule in RULES] == list(Permission)


@pytest.mark.promise("P07")
def test_an_owner_may_everything_and_an_admin_all_but_the_end():
    assert PERMISSIONS[Role.OWNER] == set(Permission)
    assert PERMISSIONS[Role.OWNER] - PERMISSIONS[Role.ADMIN] == {
        Permission.WORKSPACE_DELETE,
        Permission.OWNERSHIP_TRANSFER,
    }


@pytest.mark.promise("P07")
def test_a_viewer_changes_nothing():
    assert {permission.value.rpartition(".")[2] for permission in PERMISSIONS[Role.VIEWER]} == {"read"}


@pytest.mark.promise("P07")
def test_who_writes_does_not_approve_and_who_approves_does_not_write():
    assert Permission.POST_APPROVE not in PERMISSIONS[Role.EDITOR]
    assert Permission.POST_WRITE not in PERMISSIONS[Role.APPROVER]


def test_a_role_covers_itself_and_those_that_may_less():
    covered = {one: {other for other in Role if covers(one, other)} for one in Role}
    assert covered == {
        Role.OWNER: set(Role),
        Role.ADMIN: set(Role) - {Role.OWNER},
        Role.EDITOR: {Role.EDITOR, Role.VIEWER},
        Role.APPROVER: {Role.APPROVER, Role.VIEWER},
        Role.VIEWER: {Role.VIEWER},
    }


def test_the_page_shows_the_table():
    page = (export.REPOSITORY / "docs/permissions.md").read_text()
    for rule in RULES:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{rule.permission}` |")]
        assert line.count("✓") == len(rule.roles)
