"""Facebook, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.facebook import rules
from platforms.facebook.endpoints import FacebookEndpoints
from platforms.facebook.errors import FACEBOOK_ERRORS
from platforms.facebook.insights import Insights
from platforms.facebook.limits import INSIGHTS_POSTS_MAX, KINDS, LIMITS
from platforms.facebook.listing import Listing
from platforms.facebook.oauth import SCOPES, OAuth
from platforms.facebook.pages import Pages, profile_of
from platforms.facebook.posting import Posting
from platforms.facebook.removing import Removing
from platforms.facebook.settings import FacebookSettings
from platforms.facebook.webhooks import read_change
from platforms.meta.errors import PROOFS
from platforms.meta.graph import Graph
from platforms.meta.webhooks import Webhooks
from platforms.removal import Removal
from platforms.shape import Call, Counts, PlatformName, Profile


class _Reading:
    def __init__(self, graph: Graph, pages: Pages) -> None:
        self._pages = pages
        self._insights = Insights(graph)

    async def profile(self, call: Call) -> Profile:
        return profile_of(await self._pages.one(call), call.grant)

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        return await self._insights.read(call, post_ids)


def create(endpoints: FacebookEndpoints) -> ComposedPlatform:
    graph = Graph(endpoints.graph, table=FACEBOOK_ERRORS)
    pages = Pages(graph)
    return ComposedPlatform(
        name=PlatformName.FACEBOOK,
        scopes=SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_POSTS_MAX,
        settings=FacebookSettings,
        rules=rules.check,
        authorising=OAuth(endpoints, graph, pages),
        posting=Posting(endpoints, graph, Graph(endpoints.video, table=FACEBOOK_ERRORS)),
        reading=_Reading(graph, pages),
        listing=Listing(graph),
        removal=Removal(
            "https://www.facebook.com/pages/",
            "Open the post on the Page, choose the three dots, then Move to trash.",
        ),
        removing=Removing(graph),
        choosing=pages,
        webhooks=Webhooks(read_change),
        secret_facts=("upload_url",),
    )


def _place(base: str | None) -> Placed:
    endpoints = FacebookEndpoints(base, base, base, (urlsplit(base).netloc,)) if base else FacebookEndpoints()
    hosts = {urlsplit(each).netloc for each in (endpoints.graph, endpoints.video)}
    return Placed(create(endpoints), (*sorted(hosts), *endpoints.upload_hosts))


ACCESS = Access(
    Renewal.BY_ITSELF,
    Reach.PERSON,
    Withdrawal(
        "https://www.facebook.com/settings/?tab=business_tools",
        "Settings, Business integrations. It ends our access to all of your Pages.",
    ),
    person="user_id",
    proofs=PROOFS,
    by_application=True,
)

FACEBOOK = Entry(PlatformName.FACEBOOK, _place, ACCESS, post_hosts=("facebook.com", "fb.watch"))
