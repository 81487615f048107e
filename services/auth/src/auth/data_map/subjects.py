"""How a subject's rows are found in auth's tables."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Delete

BY_CONNECTION = Delete("connection_id = %(subject)s")
BY_WORKSPACE = Delete("workspace_id = %(subject)s")
BY_ACCOUNT = Delete("account_id = %(subject)s")
OF_CONNECTION = {SubjectKind.CONNECTION: BY_CONNECTION, SubjectKind.WORKSPACE: BY_WORKSPACE}
