"""Mail to people: what kinds there are, what proves that somebody has read one, and how long we try to send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from kit.problems import Problem


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
    ADDRESS_CHANGE_ASKED = "address_change_asked"
    ADDRESS_CHANGED = "address_changed"
    NEW_SIGN_IN = "new_sign_in"
    LOCKED_OUT = "locked_out"
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    IDENTITY_LINKED = "identity_linked"
    INVITATION = "invitation"
    OWNERSHIP_TRANSFERRED = "ownership_transferred"
    CONNECTION_NEEDS_YOU = "connection_needs_you"
    CONNECTION_ENDS = "connection_ends"
    CONNECTION_WAITS = "connection_waits"
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

PROOF_LIFETIME: Mapping[ProofPurpose, timedelta] = {
    ProofPurpose.VERIFY_ADDRESS: timedelta(days=1),
    ProofPurpose.RESET_PASSWORD: timedelta(minutes=30),
    ProofPurpose.CHANGE_ADDRESS: timedelta(days=1),
    ProofPurpose.INVITATION: timedelta(days=7),
}
"""From the sending on. The more a token opens, the shorter: mailboxes are read by others later."""

HOURLY_MAX: Mapping[LetterKind, int] = {
    LetterKind.VERIFY_ADDRESS: 5,
    LetterKind.ADDRESS_KNOWN: 1,
    LetterKind.RESET_PASSWORD: 3,
    LetterKind.CHANGE_ADDRESS: 3,
}
"""How many an address gets in an hour of what a stranger can ask for: more would make us a tool to fill a mailbox."""

QUOTA_PERIOD = timedelta(hours=1)

KEEP_TRYING = timedelta(days=3)
"""From the writing on. Mail servers are mended within days; what comes later is not expected any more."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


class ProofUnknown(Problem):
    """The same for a token that was used, is over, was replaced or never existed."""

    status = HTTPStatus.NOT_FOUND
    code = "proof-unknown"
    title = "This link was used already or is not valid any more"


@dataclass(frozen=True)
class Letter:
    """A mail to be sent. `facts` fill its words: names and times, never a secret; `language` among them is stronger
    than the language of the account.

    `subject_id` is what its proof is about: the account, the invitation, the change of address.
    """

    kind: LetterKind
    address: str
    account_id: UUID | None = None
    workspace_id: UUID | None = None
    subject_id: UUID | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DueLetter:
    """A letter that is this sender's for a while. `attempts` counts the present one.

    `known` is the account that the address belongs to, `pending` the newest sign-up that waits for its proof, and
    `language` what the person reads.
    """

    letter_id: UUID
    kind: LetterKind
    address: str
    account_id: UUID | None
    workspace_id: UUID | None
    subject_id: UUID | None
    facts: Mapping[str, str]
    written_at: datetime
    attempts: int
    known: UUID | None
    pending: UUID | None
    language: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", LetterKind(self.kind))

    def addressed(self) -> DueLetter | None:
        """The letter as it is right for who the address belongs to by now, or None if there is nobody to send it to.

        Requests that anybody can make look at no account, so that their answers and their time tell nothing. What
        they ask for is decided here.
        """
        match self.kind:
            case LetterKind.RESET_PASSWORD:
                return self._about(self.known)
            case LetterKind.VERIFY_ADDRESS | LetterKind.CHANGE_ADDRESS if self.known is not None:
                if self.known == self.account_id:
                    # Done already, with the letter before, whose answer was lost.
                    return None
                return replace(self, kind=LetterKind.ADDRESS_KNOWN, account_id=self.known)
            case LetterKind.VERIFY_ADDRESS:
                return self._about(self.account_id or self.pending)
            case _:
                return self

    def _about(self, account_id: UUID | None) -> DueLetter | None:
        return replace(self, account_id=account_id, subject_id=account_id) if account_id else None

    def next_attempt(self, now: datetime) -> datetime | None:
        """When to try again, or None if it has been tried long enough."""
        at = now + min(FIRST_PAUSE * 2 ** min(self.attempts - 1, 16), LONGEST_PAUSE)
        return at if at < self.written_at + KEEP_TRYING else None


@dataclass(frozen=True)
class Proof:
    """What a token was made for."""

    subject_id: UUID
    account_id: UUID | None
    workspace_id: UUID | None
    address: str
