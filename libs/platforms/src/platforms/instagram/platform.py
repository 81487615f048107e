"""Instagram, put together."""

from __future__ import annotations

from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.instagram import oauth, rules
from platforms.instagram.endpoints import InstagramEndpoints
from platforms.instagram.errors import INSTAGRAM_ERRORS
from platforms.instagram.limits import INSIGHTS_POSTS_MAX, KINDS, LIMITS
from platforms.instagram.listing import Listing
from platforms.instagram.posting import Posting
from platforms.instagram.reading import Reading
from platforms.instagram.settings import InstagramSettings
from platforms.meta.errors import PROOFS
from platforms.meta.graph import Graph
from platforms.meta.webhooks import Webhooks
from platforms.removal import Removal
from platforms.shape import PlatformName


def create(endpoints: InstagramEndpoints) -> ComposedPlatform:
    graph = Graph(endpoints.graph, table=INSTAGRAM_ERRORS)
    return ComposedPlatform(
        name=PlatformName.INSTAGRAM,
        scopes=oauth.SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_POSTS_MAX,
        settings=InstagramSettings,
        rules=rules.check,
        authorising=oauth.OAuth(endpoints, graph),
        posting=Posting(graph),
        reading=Reading(graph),
        listing=Listing(graph),
        removal=Removal(
            "https://www.instagram.com",
            "Open the post in Instagram, choose the three dots, then Delete.",
            offered=False,
        ),
        # Instagram tells nothing of our own posts; what comes is that a person left or wants to be forgotten.
        webhooks=Webhooks(),
    )


def _place(base: str | None) -> Placed:
    endpoints = InstagramEndpoints(base, base, base) if base else InstagramEndpoints()
    hosts = {urlsplit(address).netloc: None for address in (endpoints.login, endpoints.graph)}
    return Placed(create(endpoints), tuple(hosts))


ACCESS = Access(
    Renewal.BY_ITSELF,
    Reach.NOTHING,
    Withdrawal(
        "https://www.instagram.com/accounts/manage_access/",
        "Settings, Website permissions, Apps and websites.",
    ),
    proofs=PROOFS,
)

INSTAGRAM = Entry(PlatformName.INSTAGRAM, _place, ACCESS, post_hosts=("instagram.com",))
