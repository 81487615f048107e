"""Keys for programs."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Delete, Kind, Table

from auth.data_map.subjects import BY_ACCOUNT, BY_WORKSPACE

_API_KEY = Table(
    "api_key",
    purpose="What a program may do in a person's name, and when it did so last.",
    retention="90 days after it has ended; at once with the membership of the person who made it.",
    columns={
        "key_id": Kind.ID,
        "workspace_id": Kind.ID,
        "account_id": Kind.ID,
        "name": Kind.CONTENT,
        "prefix": Kind.STATE,
        "permissions": Kind.STATE,
        "connection_ids": Kind.ID,
        "created_at": Kind.TIME,
        "expires_at": Kind.TIME,
        "last_used_at": Kind.TIME,
        "revoked_at": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: BY_WORKSPACE, SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_API_KEY_SECRET = Table(
    "api_key_secret",
    purpose="What a key is checked against: an HMAC under a pepper that is not in the database.",
    retention="Until it is over or the key is revoked, a year at most; swept within a minute.",
    columns={
        "key_hash": Kind.SECRET,
        "workspace_id": Kind.ID,
        "key_id": Kind.ID,
        "pepper_id": Kind.ID,
        "expires_at": Kind.TIME,
    },
    subjects={
        SubjectKind.WORKSPACE: BY_WORKSPACE,
        SubjectKind.ACCOUNT: Delete("key_id IN (SELECT key_id FROM api_key WHERE account_id = %(subject)s)"),
    },
)

TABLES = (_API_KEY_SECRET, _API_KEY)
