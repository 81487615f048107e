"""Mail on its way, and the proofs that it carries."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_ACCOUNT, BY_WORKSPACE

_LETTER = Table(
    "letter",
    purpose="A mail that is to be sent: to whom, of which kind, and what it says besides. It holds no secret: a link's"
    " token is made when the mail is sent.",
    retention="Until it is sent, three days at most; a link that is not wanted any more goes at once.",
    columns={
        "letter_id": Kind.ID,
        "kind": Kind.STATE,
        "address": Kind.PERSONAL,
        "account_id": Kind.ID,
        "workspace_id": Kind.ID,
        "facts": Kind.CONTENT,
        "subject_id": Kind.ID,
        "written_at": Kind.TIME,
        "due_at": Kind.TIME,
        "attempts": Kind.STATE,
    },
    subjects={SubjectKind.WORKSPACE: BY_WORKSPACE, SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_PROOF = Table(
    "proof",
    purpose="The hash of a token that only who reads a certain address can know: it confirms one thing once.",
    retention="Until it is used or over, seven days at most; swept within a minute.",
    columns={
        "token_hash": Kind.SECRET,
        "purpose": Kind.STATE,
        "subject_id": Kind.ID,
        "account_id": Kind.ID,
        "workspace_id": Kind.ID,
        "address": Kind.PERSONAL,
        "expires_at": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: BY_WORKSPACE, SubjectKind.ACCOUNT: BY_ACCOUNT},
)

_LETTER_SENT = Table(
    "letter_sent",
    purpose="That an address was sent a letter which any stranger can ask for, so that nobody fills its mailbox.",
    retention="An hour; swept within a minute.",
    columns={
        "letter_id": Kind.ID,
        "kind": Kind.STATE,
        "address": Kind.PERSONAL,
        "account_id": Kind.ID,
        "sent_at": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)

TABLES = (_LETTER, _LETTER_SENT, _PROOF)
