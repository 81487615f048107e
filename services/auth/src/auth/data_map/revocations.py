"""What platforms told of people who left, and what is still to be confirmed by them."""

from __future__ import annotations

from kit.erasure import Kind, Table

from auth.data_map.subjects import OF_CONNECTION

_LATE_REVOCATION = Table(
    "late_revocation",
    purpose="Whose permission a platform is asked again to end, because it gave no answer when the connection ended.",
    retention="Until the platform confirms, seven days at most. Who the person is there is sealed.",
    columns={
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "platform": Kind.STATE,
        "wrapped_key": Kind.SECRET,
        "key_id": Kind.ID,
        "nonce": Kind.SECRET,
        "ciphertext": Kind.SECRET,
        "attempts": Kind.STATE,
        "due_at": Kind.TIME,
        "until": Kind.TIME,
    },
    subjects=OF_CONNECTION,
)
_PLATFORM_NOTICE = Table(
    "platform_notice",
    purpose="What a platform told of a person who left, so that telling it again has no second effect, and so that"
    " their request for deletion finds the erasures that their leaving opened. Keyed hashes, no ids of theirs.",
    retention="28 days.",
    columns={
        "platform": Kind.STATE,
        "notice_hash": Kind.PERSONAL,
        "person_hash": Kind.PERSONAL,
        "code": Kind.ID,
        "erasure_ids": Kind.ID,
        "received_at": Kind.TIME,
    },
)
_DELETION_PART = Table(
    "deletion_part",
    purpose="An erasure that answers a request for deletion, and how far it is.",
    retention="As the request.",
    columns={"code": Kind.ID, "erasure_id": Kind.ID, "erased_at": Kind.TIME, "final_at": Kind.TIME},
)
_DELETION_REQUEST = Table(
    "deletion_request",
    purpose="A request for deletion that a platform passed on, by the random code that the person got for it.",
    retention="One year. Nothing in it says whose request it was.",
    columns={"code": Kind.ID, "platform": Kind.STATE, "requested_at": Kind.TIME},
)

TABLES = (_LATE_REVOCATION, _PLATFORM_NOTICE, _DELETION_PART, _DELETION_REQUEST)
OF_NOBODY = frozenset({"platform_notice", "deletion_part", "deletion_request"})
"""Tables that lead to no subject: they have their end by time alone, and prove erasures to who holds a code."""
