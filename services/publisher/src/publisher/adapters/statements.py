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
WITH added AS (
INSERT INTO publication (publication_id, workspace_id, schedule_id, occurrence, post_id, revision_id, connection_id,
    due_at, created_at, publish_until, when_missed, platform, state, due, held, next_at, code, detail, advice, trace)
VALUES (%(publication_id)s, %(workspace_id)s, %(schedule_id)s, %(occurrence)s, %(post_id)s, %(revision_id)s,
    %(connection_id)s, %(due_at)s, %(created_at)s, %(publish_until)s, %(when_missed)s, %(platform)s, %(state)s,
    %(due)s, %(held)s, %(next_at)s, %(code)s, %(detail)s, %(advice)s, %(trace)s)
ON CONFLICT (schedule_id, connection_id, occurrence) DO NOTHING
RETURNING publication_id, workspace_id, state, code)
INSERT INTO history (publication_id, workspace_id, at, state, code)
SELECT publication_id, workspace_id, %(now)s, state, code FROM added
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


# `rows` is one JSON document: in arrays every element of every column would be quoted by itself.
_SAVE_BEGIN: LiteralString = """
WITH new AS (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS new (publication_id uuid, workspace_id uuid, to_state text,
        why text, number integer, told boolean, begun_at timestamptz, ended boolean
"""
_SAVE_REST: LiteralString = """)
), history AS (
    INSERT INTO history (publication_id, workspace_id, at, actor, state, code)
    SELECT publication_id, workspace_id, %(now)s, %(actor)s::uuid, to_state, why FROM new WHERE told
), begun AS (
    INSERT INTO attempt (publication_id, number, workspace_id, started_at)
    SELECT publication_id, number, workspace_id, begun_at FROM new WHERE begun_at IS NOT NULL
), ended AS (
    UPDATE attempt SET ended_at = %(now)s, outcome = new.to_state, code = new.why FROM new
    WHERE new.ended AND attempt.publication_id = new.publication_id AND attempt.number = new.number
), forgotten AS (
    DELETE FROM journal WHERE publication_id = ANY(%(done)s::uuid[])
)
"""


@cache
def save(changed: tuple[str, ...]) -> LiteralString:
    """Writes these columns of any number of rows, and with them their history, attempts and the end of journals."""
    names = _only(changed)
    columns: LiteralString = "".join(f", {name} {CHANGEABLE[name]}" for name in names)
    assignments: LiteralString = ", ".join(f"{name} = new.{name}" for name in names)
    update: LiteralString = (
        f"UPDATE publication SET {assignments} FROM new WHERE publication.publication_id = new.publication_id"
    )
    return _SAVE_BEGIN + columns + _SAVE_REST + update


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

# '' is `domain.places.UNKNOWN`.
IS_READY: LiteralString = """next_at <= %(now)s AND state = ANY(%(states)s)
    AND (leased_until IS NULL OR leased_until <= %(now)s) AND publication_id <> ALL(%(busy)s)
    AND coalesce(platform, '') <> ALL(%(without)s)"""

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
