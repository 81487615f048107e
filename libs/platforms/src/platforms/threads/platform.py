"""Threads, put together."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.meta.errors import PROOFS
from platforms.removal import Removal
from platforms.shape import PlatformName
from platforms.threads.api import ThreadsApi
from platforms.threads.endpoints import ThreadsEndpoints
from platforms.threads.limits import INSIGHTS_POSTS_MAX, KINDS, LIMITS
from platforms.threads.listing import Listing
from platforms.threads.oauth import REMOVAL_SCOPES, SCOPES, OAuth
from platforms.threads.posting import Pause, Posting
from platforms.threads.reading import Reading
from platforms.threads.removing import Removing
from platforms.threads.rules import check
from platforms.threads.settings import ThreadsSettings
from platforms.threads.text import threads_length
from platforms.threads.webhooks import Webhooks


def create(endpoints: ThreadsEndpoints, *, pause: Pause = asyncio.sleep) -> ComposedPlatform:
    """The client; `pause` is how it waits for Threads between the posts of a thread."""
    api = ThreadsApi(endpoints.graph)
    reading = Reading(api)
    return ComposedPlatform(
        name=PlatformName.THREADS,
        scopes=SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_POSTS_MAX,
        settings=ThreadsSettings,
        rules=check,
        authorising=OAuth(endpoints, api),
        posting=Posting(api, reading, pause),
        reading=reading,
        listing=Listing(api),
        removal=Removal(
            "https://www.threads.com",
            "Open the post in Threads, choose the three dots, then Delete.",
            also_needs=frozenset(REMOVAL_SCOPES),
        ),
        removing=Removing(api),
        webhooks=Webhooks(),
        counter=threads_length,
    )


def _place(base: str | None) -> Placed:
    endpoints = ThreadsEndpoints(base, base) if base else ThreadsEndpoints()
    return Placed(create(endpoints), (urlsplit(endpoints.graph).netloc,))


ACCESS = Access(
    Renewal.BY_ITSELF,
    Reach.NOTHING,
    Withdrawal(
        "https://www.threads.com/settings/account",
        "Settings, Account, Website permissions.",
    ),
    proofs=PROOFS,
)

THREADS = Entry(PlatformName.THREADS, _place, ACCESS, post_hosts=("threads.net", "threads.com"))
