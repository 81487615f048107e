"""Accounts, their passwords and sessions."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_ACCOUNT

_SESSION = Table(
    "session",
    purpose="A signed-in browser, by the hash of its token; its kind and network address let its owner know it again.",
    retention="14 days after its last use, 30 days at most; swept within a minute. Ended on sign-out and deletion.",
    columns={
        "session_id": Kind.ID,
        "account_id": Kind.ID,
        "token_hash": Kind.SECRET,
        "created_at": Kind.TIME,
        "last_used_at": Kind.TIME,
        "proved_at": Kind.TIME,
        "expires_at": Kind.TIME,
        "strong": Kind.STATE,
        "device": Kind.PERSONAL,
        "client_address": Kind.PERSONAL,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_CREDENTIAL = Table(
    "credential",
    purpose="What a password is checked against (Argon2id).",
    retention="While the account exists; destroyed at once when it is deleted.",
    columns={"account_id": Kind.ID, "password_hash": Kind.SECRET, "changed_at": Kind.TIME},
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_PHOTO = Table(
    "photo",
    purpose="A picture that a person shows to those they share a workspace with: 256 by 256 pixels and nothing else.",
    retention="Until the person takes it away, or its erasure, once the account is deleted.",
    columns={"account_id": Kind.ID, "image": Kind.PERSONAL, "changed_at": Kind.TIME},
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_ACCOUNT = Table(
    "account",
    purpose="A person who can sign in, and what they told about themself.",
    retention="Until its erasure, once it is deleted; a sign-up that nobody verifies, 7 days.",
    columns={
        "account_id": Kind.ID,
        "email": Kind.PERSONAL,
        "full_name": Kind.PERSONAL,
        "company": Kind.PERSONAL,
        "time_zone": Kind.PERSONAL,
        "language": Kind.PERSONAL,
        "age_attested_at": Kind.TIME,
        "created_at": Kind.TIME,
        "deleted_at": Kind.TIME,
        "closing_until": Kind.TIME,
        "state": Kind.STATE,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)

TABLES = (_SESSION, _CREDENTIAL, _PHOTO, _ACCOUNT)
