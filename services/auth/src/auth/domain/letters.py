"""Mail to people: what kinds there are, and what proves that somebody has read one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class LetterKind(StrEnum):
    """What a letter is about. Each has its words in `auth.domain.letter_words`."""

    VERIFY_ADDRESS = "verify_address"
    ADDRESS_KNOWN = "address_known"
    APPROVAL_WAITING = "approval_waiting"
    ACCOUNT_APPROVED = "account_approved"
    ACCOUNT_REFUSED = "account_refused"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a word, not a password
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    CHANGE_ADDRESS = "change_address"
    ADDRESS_CHANGED = "address_changed"
    NEW_SIGN_IN = "new_sign_in"
    LOCKED_OUT = "locked_out"
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    INVITATION = "invitation"
    OWNERSHIP_TRANSFERRED = "ownership_transferred"
    CONNECTION_NEEDS_YOU = "connection_needs_you"
    CONNECTION_ENDS = "connection_ends"
    ACCOUNT_DELETED = "account_deleted"
    POLICY_CHANGED = "policy_changed"
    INCIDENT = "incident"


class ProofPurpose(StrEnum):
    """What a token from a letter confirms. A letter of some kinds carries one; see `PROOF_OF`."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # a word, not a password
    CHANGE_ADDRESS = "change_address"
    INVITATION = "invitation"


PROOF_OF: Mapping[LetterKind, ProofPurpose] = {
    LetterKind.VERIFY_ADDRESS: ProofPurpose.VERIFY_ADDRESS,
    LetterKind.RESET_PASSWORD: ProofPurpose.RESET_PASSWORD,
    LetterKind.CHANGE_ADDRESS: ProofPurpose.CHANGE_ADDRESS,
    LetterKind.INVITATION: ProofPurpose.INVITATION,
}
"""The letters with a link whose token proves something. The token is made when the letter is sent, and only its hash
is stored, so that no letter that waits holds a secret."""


@dataclass(frozen=True)
class Letter:
    """A mail to be sent. `facts` fill its words: names and times, never a secret.

    `subject_id` is what its proof is about: the account, the invitation, the change of address.
    """

    kind: LetterKind
    address: str
    account_id: UUID | None = None
    workspace_id: UUID | None = None
    subject_id: UUID | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
