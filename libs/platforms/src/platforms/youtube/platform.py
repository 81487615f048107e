"""YouTube, put together."""

from __future__ import annotations

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.removal import Removal
from platforms.shape import PlatformName
from platforms.youtube import oauth, rules, webhooks
from platforms.youtube.api import YouTubeApi
from platforms.youtube.channels import Channels
from platforms.youtube.endpoints import YouTubeEndpoints
from platforms.youtube.limits import INSIGHTS_IDS_MAX, KINDS, LIMITS
from platforms.youtube.listing import Listing
from platforms.youtube.posting import Posting
from platforms.youtube.reading import Reading
from platforms.youtube.removing import Removing
from platforms.youtube.settings import YouTubeSettings
from platforms.youtube.staging import Staging


def create(endpoints: YouTubeEndpoints) -> ComposedPlatform:
    api = YouTubeApi(endpoints)
    channels = Channels(api)
    return ComposedPlatform(
        name=PlatformName.YOUTUBE,
        scopes=oauth.SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_IDS_MAX,
        settings=YouTubeSettings,
        rules=rules.check,
        authorising=oauth.OAuth(endpoints, channels),
        posting=Posting(api, Staging(api, channels)),
        reading=Reading(api, channels),
        listing=Listing(api, channels),
        removal=Removal(
            "https://studio.youtube.com",
            "YouTube Studio, Content, the video, More, Delete forever.",
        ),
        removing=Removing(api),
        choosing=channels,
        webhooks=webhooks.Webhooks(),
        secret_facts=("session_uri",),
    )


def _place(base: str | None) -> Placed:
    endpoints = YouTubeEndpoints.at(base) if base else YouTubeEndpoints()
    return Placed(create(endpoints), endpoints.hosts())


ACCESS = Access(
    Renewal.BY_REFRESH_TOKEN,
    Reach.PERSON,
    Withdrawal(
        "https://myaccount.google.com/permissions",
        "Google Account, Security, Your connections to third-party apps and services.",
    ),
)

YOUTUBE = Entry(PlatformName.YOUTUBE, _place, ACCESS, post_hosts=("youtube.com", "youtu.be"))
