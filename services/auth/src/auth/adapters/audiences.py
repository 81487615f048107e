"""Whom an operator tells something, as a condition on accounts."""

from __future__ import annotations

from typing import Any, LiteralString

from auth.domain.audiences import Audience

IN_AUDIENCE: LiteralString = """
a.deleted_at IS NULL AND a.state = 'active'
AND (%(workspace_id)s::uuid IS NULL OR EXISTS (
    SELECT 1 FROM member m WHERE m.account_id = a.account_id AND m.workspace_id = %(workspace_id)s))
AND (%(platform)s::text IS NULL OR EXISTS (
    SELECT 1 FROM member m JOIN connection c USING (workspace_id)
    WHERE m.account_id = a.account_id AND c.platform = %(platform)s AND c.state <> 'revoked'))
AND ((%(active_from)s::timestamptz IS NULL AND %(active_until)s::timestamptz IS NULL) OR EXISTS (
    SELECT 1 FROM security_event e WHERE e.account_id = a.account_id
    AND e.occurred_at >= coalesce(%(active_from)s, '-infinity')
    AND e.occurred_at <= coalesce(%(active_until)s, 'infinity')))
"""
"""Of `account a`."""


def parameters_of(audience: Audience) -> dict[str, Any]:
    return dict(vars(audience))
