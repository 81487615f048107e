"""What an authorisation at a platform is like over its life: data for who keeps grants and for who gave them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    """

    renewal: Renewal
    reach: Reach
    withdrawal: Withdrawal
    person: str = ""

    def person_of(self, grant: Grant) -> str:
        """Who gave the grant, in the platform's words; empty if it does not even name an account."""
        named = grant.extra.get(self.person)
        return named.reveal() if named else grant.account_id
