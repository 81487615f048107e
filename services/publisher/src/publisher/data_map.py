"""What the publisher holds, about whom, and how it is forgotten. Of an account it holds what it decided."""

from __future__ import annotations

from typing import LiteralString

from contracts.retention import SubjectKind
from kit.erasure import Anonymise, DataMap, Delete, Kind, Table

_WORKSPACE = Delete("workspace_id = %(subject)s")
_OF_CONNECTION: LiteralString = (
    "publication_id IN (SELECT publication_id FROM publication WHERE connection_id = %(subject)s)"
)
_FROM_PLATFORM: LiteralString = (
    "(platform_post_id IS NOT NULL OR url IS NOT NULL OR evidence IS NOT NULL OR detail IS NOT NULL)"
)
_OWN_RECORD = (
    "until the workspace is erased. Kept when a connection is disconnected: ids, times, states and codes are the"
    " workspace's own record of what it published, for audit and reports"
)

DATA_MAP = DataMap(
    service="publisher",
    tables=(
        Table(
            name="journal",
            purpose="what was done at the platform so far; secret facts are sealed",
            retention="until the post is out or taken back; where a person may try again, 30 days",
            columns={
                "publication_id": Kind.ID, "workspace_id": Kind.ID, "facts": Kind.SECRET, "recorded_at": Kind.TIME,
            },
            subjects={SubjectKind.WORKSPACE: _WORKSPACE, SubjectKind.CONNECTION: Delete(_OF_CONNECTION)},
        ),
        Table(
            name="audit_finding",
            purpose="what an audit found to differ between scheduler, publisher and platform, by ids of our own posts",
            retention="90 days; what the platform calls a post goes with the connection",
            columns={
                "number": Kind.ID, "run_id": Kind.ID, "workspace_id": Kind.ID, "kind": Kind.STATE,
                "schedule_id": Kind.ID, "publication_id": Kind.ID, "connection_id": Kind.ID, "platform": Kind.STATE,
                "post_ids": Kind.PERSONAL, "detail": Kind.STATE,
            },
            subjects={
                SubjectKind.WORKSPACE: _WORKSPACE,
                SubjectKind.CONNECTION: Anonymise(
                    "connection_id = %(subject)s AND post_ids <> '{}'", "post_ids = '{}'"
                ),
            },
        ),
        Table(
            name="audit",
            purpose="which audits were carried out, of what period, and how much they saw. Of nobody",
            retention="90 days",
            columns={
                "run_id": Kind.ID, "since": Kind.TIME, "until": Kind.TIME, "asked": Kind.STATE, "state": Kind.STATE,
                "created_at": Kind.TIME, "ended_at": Kind.TIME, "counts": Kind.METRIC, "claim": Kind.ID,
                "leased_until": Kind.TIME,
            },
        ),
        Table(
            name="history",
            purpose="every state a publication was in, why, and by whose word",
            retention=_OWN_RECORD,
            columns={
                "number": Kind.ID, "publication_id": Kind.ID, "workspace_id": Kind.ID, "at": Kind.TIME,
                "state": Kind.STATE, "code": Kind.STATE, "actor": Kind.ID,
            },
            subjects={
                SubjectKind.WORKSPACE: _WORKSPACE,
                SubjectKind.ACCOUNT: Anonymise("actor = %(subject)s", "actor = NULL"),
            },
        ),
        Table(
            name="removal",
            purpose="a published post that a person wanted off the platform, and what came of it",
            retention=_OWN_RECORD + "; what came from the platform goes with the connection",
            columns={
                "publication_id": Kind.ID, "workspace_id": Kind.ID, "asked_by": Kind.ID, "asked_at": Kind.TIME,
                "state": Kind.STATE, "tries": Kind.STATE, "next_at": Kind.TIME, "ended_at": Kind.TIME,
                "code": Kind.STATE, "detail": Kind.CONTENT, "advice": Kind.STATE, "evidence": Kind.PERSONAL,
                "claim": Kind.ID, "leased_until": Kind.TIME,
            },
            subjects={
                SubjectKind.WORKSPACE: _WORKSPACE,
                SubjectKind.ACCOUNT: Anonymise("asked_by = %(subject)s", "asked_by = NULL"),
                SubjectKind.CONNECTION: Anonymise(
                    _OF_CONNECTION + " AND (evidence IS NOT NULL OR detail IS NOT NULL)",
                    "evidence = NULL, detail = NULL",
                ),
            },
        ),
        Table(
            name="attempt",
            purpose="every try to show a post, and its outcome",
            retention=_OWN_RECORD,
            columns={
                "publication_id": Kind.ID, "number": Kind.ID, "workspace_id": Kind.ID, "started_at": Kind.TIME,
                "ended_at": Kind.TIME, "outcome": Kind.STATE, "code": Kind.STATE,
            },
            subjects={SubjectKind.WORKSPACE: _WORKSPACE},
        ),
        Table(
            name="publication",
            purpose="one revision at one connection: its state and the platform's receipt",
            retention=_OWN_RECORD + "; what came from the platform goes with the connection",
            columns={
                "publication_id": Kind.ID, "workspace_id": Kind.ID, "schedule_id": Kind.ID, "occurrence": Kind.STATE,
                "post_id": Kind.ID, "revision_id": Kind.ID, "connection_id": Kind.ID, "due_at": Kind.TIME,
                "created_at": Kind.TIME, "publish_until": Kind.TIME, "when_missed": Kind.STATE,
                "platform": Kind.STATE, "state": Kind.STATE, "due": Kind.STATE, "held": Kind.STATE,
                "next_at": Kind.TIME, "attempts": Kind.STATE, "forgiven": Kind.STATE, "failures": Kind.STATE,
                "content_hash": Kind.STATE, "media_verified": Kind.STATE, "staged_at": Kind.TIME,
                "attempted_at": Kind.TIME, "published_at": Kind.TIME, "platform_post_id": Kind.PERSONAL,
                "url": Kind.PERSONAL, "evidence": Kind.PERSONAL, "code": Kind.STATE, "detail": Kind.CONTENT,
                "advice": Kind.STATE, "claim": Kind.ID, "leased_until": Kind.TIME,
                # A random number that leads to spans. They are kept by the collector, and hold no id of ours.
                "trace": Kind.STATE, "paid": Kind.STATE,
            },
            subjects={
                SubjectKind.WORKSPACE: _WORKSPACE,
                SubjectKind.CONNECTION: Anonymise(
                    "connection_id = %(subject)s AND " + _FROM_PLATFORM,
                    "platform_post_id = NULL, url = NULL, evidence = NULL, detail = NULL",
                ),
            },
        ),
        Table(
            name="connection",
            purpose="whether a connection may be published through, as auth last told",
            retention="until the connection or its workspace is erased",
            columns={
                "connection_id": Kind.ID, "workspace_id": Kind.ID, "platform": Kind.STATE, "state": Kind.STATE,
                "changed_at": Kind.TIME,
            },
            subjects={
                SubjectKind.WORKSPACE: _WORKSPACE,
                SubjectKind.CONNECTION: Delete("connection_id = %(subject)s"),
            },
        ),
        Table(
            name="connection_budget",
            purpose="how much of its platform's rates a connection has used, and until when it takes no more",
            retention="until the connection or its workspace is erased",
            columns={
                "connection_id": Kind.ID, "workspace_id": Kind.ID, "spent": Kind.STATE, "closed": Kind.STATE,
            },
            subjects={
                SubjectKind.WORKSPACE: _WORKSPACE,
                SubjectKind.CONNECTION: Delete("connection_id = %(subject)s"),
            },
        ),
        Table(
            name="application_budget",
            purpose="the same of our application at a platform, and the turns of the workspaces that wait for it",
            retention="a row a platform, for good; a workspace's turns until nobody waits, or it is erased",
            columns={"platform": Kind.STATE, "spent": Kind.STATE, "closed": Kind.STATE, "turns": Kind.STATE},
            subjects={
                SubjectKind.WORKSPACE: Anonymise("turns ? %(subject)s::text", "turns = turns - %(subject)s::text"),
            },
        ),
        Table(
            name="cancellation",
            purpose="schedules that were taken back, in case their plan arrives later",
            retention=_OWN_RECORD,
            columns={
                "number": Kind.ID, "schedule_id": Kind.ID, "occurrence": Kind.STATE, "connection_id": Kind.ID,
                "workspace_id": Kind.ID, "reason": Kind.STATE, "at": Kind.TIME,
            },
            subjects={SubjectKind.WORKSPACE: _WORKSPACE},
        ),
    ),
)  # fmt: skip
