"""What the scheduler holds, about whom, and how it is forgotten."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Anonymise, DataMap, Delete, Kind, Table

_OWN_RECORD = (
    "until the workspace is erased. Kept when a connection is disconnected: ids, times and outcomes"
    " are the workspace's own record of what it planned, and hold nothing from the platform"
)

DATA_MAP = DataMap(
    service="scheduler",
    tables=(
        Table(
            name="target",
            purpose="the connections of a schedule and what became of it there",
            retention=_OWN_RECORD,
            columns={
                "schedule_id": Kind.ID,
                "connection_id": Kind.ID,
                "workspace_id": Kind.ID,
                "position": Kind.STATE,
                "state": Kind.STATE,
                "code": Kind.STATE,
                "publication_id": Kind.ID,
                "removed_at": Kind.TIME,
                # Over the text and the digests of media, to find the same again; gone when the post is deleted.
                "content_hash": Kind.CONTENT,
            },
            subjects={SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s")},
        ),
        Table(
            name="schedule",
            purpose="when an approved revision goes out",
            retention=_OWN_RECORD,
            columns={
                "schedule_id": Kind.ID,
                "workspace_id": Kind.ID,
                "post_id": Kind.ID,
                "revision_id": Kind.ID,
                "wall_clock": Kind.TIME,
                "time_zone": Kind.STATE,
                "adjustment": Kind.STATE,
                "due_at": Kind.TIME,
                "state": Kind.STATE,
                "reason": Kind.STATE,
                "created_by": Kind.ID,
                "created_at": Kind.TIME,
                # A random number that leads to spans. They are kept by the collector, and hold no id of ours.
                "trace": Kind.STATE,
                "publish_until": Kind.TIME,
                "when_missed": Kind.STATE,
                "held_by": Kind.ID,
                "series_id": Kind.ID,
                "occurrence": Kind.STATE,
                "zone_version": Kind.STATE,
                "despite": Kind.ID,
            },
            subjects={
                SubjectKind.ACCOUNT: Anonymise("created_by = %(subject)s", "created_by = NULL"),
                SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s"),
            },
        ),
        Table(
            name="series",
            purpose="an approved revision that goes out again and again, by a rule",
            retention=_OWN_RECORD,
            columns={
                "series_id": Kind.ID,
                "workspace_id": Kind.ID,
                "post_id": Kind.ID,
                "revision_id": Kind.ID,
                "connection_ids": Kind.ID,
                "rule": Kind.STATE,
                "starts_at": Kind.TIME,
                "time_zone": Kind.STATE,
                "late": Kind.TIME,
                "when_missed": Kind.STATE,
                "state": Kind.STATE,
                "reason": Kind.STATE,
                "last_number": Kind.STATE,
                "ends_after": Kind.STATE,
                "skipped": Kind.STATE,
                "next_at": Kind.TIME,
                "created_by": Kind.ID,
                "created_at": Kind.TIME,
                "trace": Kind.STATE,
                "despite_blackouts": Kind.STATE,
                # As that of a target.
                "content_hashes": Kind.CONTENT,
            },
            subjects={
                SubjectKind.ACCOUNT: Anonymise("created_by = %(subject)s", "created_by = NULL"),
                SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s"),
            },
        ),
        Table(
            name="queue",
            purpose="the weekly times at which posts of a connection go out",
            retention="until they are replaced, or the connection or the workspace is erased",
            columns={
                "workspace_id": Kind.ID,
                "connection_id": Kind.ID,
                "time_zone": Kind.STATE,
                "slots": Kind.TIME,
            },
            subjects={
                SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s"),
                SubjectKind.CONNECTION: Delete("connection_id = %(subject)s"),
            },
        ),
        Table(
            name="spread",
            purpose="how far apart posts of one connection must go out",
            retention="until it is replaced, or the workspace is erased",
            columns={"workspace_id": Kind.ID, "apart": Kind.STATE},
            subjects={SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s")},
        ),
        Table(
            name="blackout",
            purpose="when nothing is to go out",
            retention="until a member removes it, others are made while 500 later ones are over, or the workspace is"
            " erased; of a connection, until that is erased",
            columns={
                "blackout_id": Kind.ID,
                "workspace_id": Kind.ID,
                "name": Kind.CONTENT,
                "starts_at": Kind.TIME,
                "ends_at": Kind.TIME,
                "time_zone": Kind.STATE,
                "yearly": Kind.STATE,
                "connection_ids": Kind.ID,
            },
            subjects={
                SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s"),
                # For no connection is not for all of them: that is NULL.
                SubjectKind.CONNECTION: Anonymise(
                    "%(subject)s = ANY(connection_ids)", "connection_ids = array_remove(connection_ids, %(subject)s)"
                ),
            },
        ),
        Table(
            name="clockwork",
            purpose="which scheduler processes are alive, so that others take over what a dead one held",
            retention="a day after a process was last alive",
            columns={"holder": Kind.ID, "alive_until": Kind.TIME},
            subjects={},
        ),
    ),
)
