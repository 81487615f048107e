"""What an authorisation at a platform is like over its life: data for who keeps grants and for who gave them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from kit.secret import Secret

from platforms.shape import Grant


class Renewal(StrEnum):
    """How a grant lives on."""

    BY_REFRESH_TOKEN = "by_refresh_token"  # noqa: S105  # a word, not a token
    """Only while its refresh token lives. Without one, and after its end, a person must authorise again."""
    ROLLING = "rolling"
    """By a refresh token that each renewal replaces by one that lives as long again."""
    BY_ITSELF = "by_itself"
    """A living token is traded for a later one (or has no end), so nobody has to come back."""


class Reach(StrEnum):
    """What a revocation ends at the platform."""

    NOTHING = "nothing"
    """There is no call for it: only the person can withdraw."""
    AUTHORISATION = "authorisation"
    """What came from one visit to the consent page: every account that was chosen there."""
    PERSON = "person"
    """All that the person ever allowed our application, other visits and other workspaces included."""


@dataclass(frozen=True)
class Withdrawal:
    """Where a person ends our access at the platform by themself."""

    url: str
    steps: str


@dataclass(frozen=True)
class Access:
    """One platform's rules for what a person gave us.

    `person` is the name under which `Grant.extra` says who the person is; where it is empty the account is the person.
    `proofs` are the codes of `ReauthorisationNeeded` by which the platform says that a grant is over for good: others
    may be wrong for minutes, or be about a permission. `by_application`: our own token ends what a person allowed, so
    that theirs is not needed for it.
    """

    renewal: Renewal
    reach: Reach
    withdrawal: Withdrawal
    person: str = ""
    proofs: frozenset[str] = frozenset({"invalid_grant"})
    by_application: bool = False

    def person_of(self, grant: Grant) -> str:
        """Who gave the grant, in the platform's words; empty if it does not even name an account."""
        named = grant.extra.get(self.person)
        return named.reveal() if named else grant.account_id

    def grant_of(self, person_id: str) -> Grant:
        """As much of a grant as names the person and opens nothing: enough to end it where `by_application` holds."""
        return Grant(
            account_id=person_id,
            access_token=Secret(""),
            refresh_token=None,
            scopes=(),
            expires_at=datetime.min.replace(tzinfo=UTC),
            refresh_expires_at=None,
            extra={self.person: Secret(person_id)} if self.person else {},
        )
