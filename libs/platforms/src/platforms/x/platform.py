"""X, put together."""

from __future__ import annotations

from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.removal import Removal
from platforms.shape import PlatformName
from platforms.x.api import XApi
from platforms.x.endpoints import XEndpoints
from platforms.x.limits import INSIGHTS_IDS_MAX, KINDS, LIMITS
from platforms.x.listing import Listing
from platforms.x.oauth import SCOPES, OAuth
from platforms.x.posting import Posting
from platforms.x.reading import Reading
from platforms.x.removing import Removing
from platforms.x.rules import check
from platforms.x.settings import XSettings
from platforms.x.text import weighted_length
from platforms.x.webhooks import Webhooks


def create(endpoints: XEndpoints) -> ComposedPlatform:
    api = XApi(endpoints)
    reading = Reading(api)
    return ComposedPlatform(
        name=PlatformName.X,
        scopes=SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_IDS_MAX,
        settings=XSettings,
        rules=check,
        authorising=OAuth(endpoints, reading),
        posting=Posting(endpoints, api, reading),
        reading=reading,
        listing=Listing(api),
        removal=Removal("https://x.com/home", "Open the post at X, choose the three dots, then Delete."),
        removing=Removing(api),
        webhooks=Webhooks(),
        counter=weighted_length,
    )


def _place(base: str | None) -> Placed:
    endpoints = XEndpoints(base, base) if base else XEndpoints()
    return Placed(create(endpoints), (urlsplit(endpoints.api).netloc,))


ACCESS = Access(
    Renewal.ROLLING,
    Reach.AUTHORISATION,
    Withdrawal(
        "https://x.com/settings/connected_apps",
        "Settings, Security and account access, Apps and sessions, Connected apps.",
    ),
)

X = Entry(PlatformName.X, _place, ACCESS, post_hosts=("x.com", "twitter.com"))
