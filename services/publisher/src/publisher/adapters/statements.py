"""The statements on publications that are more than a line. All are put together of constants."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import LiteralString

COLUMNS: LiteralString = """
publication_id, workspace_id, schedule_id, occurrence, post_id, revision_id, connection_id, due_at, created_at,
publish_until, when_missed, platform, state, due, held, next_at, attempts, forgiven, failures, content_hash,
media_verified, staged_at, attempted_at, published_at, platform_post_id, url, evidence, code, detail, advice, claim,
leased_until, trace, paid
"""
SELECT: LiteralString = "SELECT " + COLUMNS + " FROM publication "

INSERT: LiteralString = """
INSERT INTO publication (publication_id, workspace_id, schedule_id, occurrence, post_id, revision_id, connection_id,
    due_at, created_at, publish_until, when_missed, platform, state, due, held, next_at, code, detail, advice, trace)
VALUES (%(publication_id)s, %(workspace_id)s, %(schedule_id)s, %(occurrence)s, %(post_id)s, %(revision_id)s,
    %(connection_id)s, %(due_at)s, %(created_at)s, %(publish_until)s, %(when_missed)s, %(platform)s, %(state)s,
    %(due)s, %(held)s, %(next_at)s, %(code)s, %(detail)s, %(advice)s, %(trace)s)
ON CONFLICT (schedule_id, connection_id, occurrence) DO NOTHING
"""

CHANGEABLE: Mapping[LiteralString, LiteralString] = {
    "due_at": "timestamptz", "publish_until": "timestamptz", "when_missed": "text", "platform": "text", "state": "text",
    "due": "boolean", "held": "boolean", "next_at": "timestamptz", "attempts": "integer", "forgiven": "integer",
    "failures": "integer",
    "content_hash": "text", "media_verified": "boolean", "staged_at": "timestamptz", "attempted_at": "timestamptz",
    "published_at": "timestamptz", "platform_post_id": "text", "url": "text", "evidence": "jsonb", "code": "text",
    "detail": "text", "advice": "text", "claim": "uuid", "leased_until": "timestamptz", "trace": "text",
    "paid": "jsonb",
}  # fmt: skip
"""What of a row can change, with its type."""

_NAMES: tuple[LiteralString, ...] = tuple(CHANGEABLE)


@cache
def update(changed: tuple[str, ...]) -> LiteralString:
    """Writes these columns of any number of rows: one statement, because the time of a burst is spent between them."""
    assignments: LiteralString = ", ".join(f"{name} = new.{name}" for name in _only(changed))
    arrays: LiteralString = ", ".join(f"%({name})s::{CHANGEABLE[name]}[]" for name in _only(changed))
    names: LiteralString = ", ".join(_only(changed))
    return (
        f"UPDATE publication SET {assignments} FROM unnest(%(publication_id)s::uuid[], {arrays})"
        f" AS new (publication_id, {names}) WHERE publication.publication_id = new.publication_id"
    )


def _only(changed: tuple[str, ...]) -> list[LiteralString]:
    return [name for name in _NAMES if name in changed]


WANTED: LiteralString = """
WHERE (%(post_id)s::uuid IS NULL OR post_id = %(post_id)s)
    AND (%(schedule_id)s::uuid IS NULL OR schedule_id = %(schedule_id)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(reach)s::uuid[] IS NULL OR connection_id = ANY (%(reach)s::uuid[]))
    AND (%(before)s::uuid IS NULL OR (due_at, publication_id) <
        (SELECT due_at, publication_id FROM publication WHERE publication_id = %(before)s))
ORDER BY due_at DESC, publication_id DESC LIMIT %(limit)s
"""

IS_READY: LiteralString = """next_at <= %(now)s AND state = ANY(%(states)s)
    AND (leased_until IS NULL OR leased_until <= %(now)s) AND publication_id <> ALL(%(busy)s)"""

OLDEST: LiteralString = f"""
    SELECT publication_id FROM publication WHERE {IS_READY} ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
OLDEST_OF_EACH: LiteralString = f"""
    SELECT oldest.publication_id FROM unnest(%(workspaces)s::uuid[]) AS turn (workspace_id), LATERAL (
        SELECT publication_id FROM publication WHERE workspace_id = turn.workspace_id AND {IS_READY}
        ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) AS oldest
"""
CLAIM: LiteralString = """
UPDATE publication SET claim = gen_random_uuid(), leased_until = %(leased_until)s
WHERE publication_id IN (SELECT publication_id FROM chosen) RETURNING
"""

# From one workspace to the next along the index, so that its cost is one look for each.
WAITING: LiteralString = f"""
WITH RECURSIVE turn AS (
    (SELECT workspace_id FROM publication WHERE next_at IS NOT NULL ORDER BY workspace_id LIMIT 1)
    UNION ALL
    SELECT (SELECT p.workspace_id FROM publication p WHERE p.next_at IS NOT NULL AND p.workspace_id > turn.workspace_id
            ORDER BY p.workspace_id LIMIT 1)
    FROM turn WHERE turn.workspace_id IS NOT NULL
)
SELECT workspace_id FROM turn WHERE workspace_id IS NOT NULL
    AND EXISTS (SELECT 1 FROM publication p WHERE p.workspace_id = turn.workspace_id AND {IS_READY})
"""
# The columns are named, because a newer schema must fit this code while a release rolls out.
CLAIM_OLDEST: LiteralString = "WITH chosen AS (" + OLDEST + ")" + CLAIM + COLUMNS
CLAIM_OF_EACH: LiteralString = "WITH chosen AS (" + OLDEST_OF_EACH + ")" + CLAIM + COLUMNS
