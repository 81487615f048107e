"""Everything metrics holds, how long, and how a subject is found in it."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import DataMap, Delete, Kind, Table

_OF_SUBJECTS = {
    SubjectKind.CONNECTION: Delete("connection_id = %(subject)s"),
    SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s"),
}

DATA_MAP = DataMap(
    service="metrics",
    tables=(
        Table(
            name="snapshot",
            purpose="The numbers a platform told of a publication, at one time.",
            retention="Until its connection's or workspace's erasure: at most 30 days after the end of either.",
            columns={
                "publication_id": Kind.ID,
                "taken_at": Kind.TIME,
                "workspace_id": Kind.ID,
                "connection_id": Kind.ID,
                "views": Kind.METRIC,
                "likes": Kind.METRIC,
                "comments": Kind.METRIC,
                "shares": Kind.METRIC,
                "impressions": Kind.METRIC,
            },
            subjects=_OF_SUBJECTS,
        ),
        Table(
            name="tracked",
            purpose="What was published through the system and is measured.",
            retention="As its snapshots.",
            columns={
                "publication_id": Kind.ID,
                "workspace_id": Kind.ID,
                "connection_id": Kind.ID,
                "post_id": Kind.ID,
                "platform": Kind.STATE,
                "platform_post_id": Kind.ID,
                "published_at": Kind.TIME,
                "state": Kind.STATE,
                "next_at": Kind.TIME,
                "absences": Kind.STATE,
                "failures": Kind.STATE,
                "withheld": Kind.STATE,
            },
            subjects=_OF_SUBJECTS,
        ),
        Table(
            name="ended",
            purpose="Random ids of connections and workspaces that ended, so that no late event revives them.",
            retention=(
                "Kept through an erasure, because an event from before the end may still arrive;"
                " deleted 31 days after the end, when every such event has expired."
            ),
            columns={"subject_id": Kind.ID, "ended_at": Kind.TIME},
        ),
    ),
)
"""A person's account owns nothing here: numbers belong to the workspace's publications."""
