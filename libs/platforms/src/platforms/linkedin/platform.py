"""LinkedIn, put together."""

from __future__ import annotations

from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.linkedin import rules
from platforms.linkedin.accounts import Accounts
from platforms.linkedin.api import LinkedInApi
from platforms.linkedin.endpoints import LinkedInEndpoints
from platforms.linkedin.limits import INSIGHTS_POSTS_MAX, KINDS, LIMITS
from platforms.linkedin.listing import Listing
from platforms.linkedin.oauth import SCOPES, OAuth
from platforms.linkedin.posting import Posting
from platforms.linkedin.reading import Reading
from platforms.linkedin.removing import Removing
from platforms.linkedin.settings import LinkedInSettings
from platforms.linkedin.webhooks import Webhooks
from platforms.removal import Removal
from platforms.shape import PlatformName


def create(endpoints: LinkedInEndpoints) -> ComposedPlatform:
    api = LinkedInApi(endpoints)
    accounts = Accounts(api)
    return ComposedPlatform(
        name=PlatformName.LINKEDIN,
        scopes=SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_POSTS_MAX,
        settings=LinkedInSettings,
        rules=rules.check,
        authorising=OAuth(endpoints, accounts),
        posting=Posting(endpoints, api),
        reading=Reading(api, accounts),
        listing=Listing(api),
        removal=Removal(
            "https://www.linkedin.com/feed/",
            "Open the post at LinkedIn, choose the three dots, then Delete post.",
        ),
        removing=Removing(api),
        choosing=accounts,
        webhooks=Webhooks(),
        secret_facts=("uploads",),
    )


def _place(base: str | None) -> Placed:
    endpoints = LinkedInEndpoints()
    if base:
        endpoints = LinkedInEndpoints(web=base, api=base, upload_hosts=(urlsplit(base).netloc,))
    return Placed(create(endpoints), (urlsplit(endpoints.api).netloc, *endpoints.upload_hosts))


ACCESS = Access(
    Renewal.BY_REFRESH_TOKEN,
    Reach.AUTHORISATION,
    Withdrawal(
        "https://www.linkedin.com/mypreferences/d/data-sharing-for-permitted-services",
        "Settings, Data privacy, Permitted services.",
    ),
    # `invalid_request` is what LinkedIn says of a dead refresh token, and of a mistake of ours.
    proofs=frozenset({"invalid_grant", "REVOKED_ACCESS_TOKEN", "65601"}),
)

LINKEDIN = Entry(PlatformName.LINKEDIN, _place, ACCESS, post_hosts=("linkedin.com", "lnkd.in"))
