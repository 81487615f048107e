"""Bluesky, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.bluesky import answers, rules
from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.identity import Directory
from platforms.bluesky.limits import INSIGHTS_URIS_MAX, KINDS, LIMITS
from platforms.bluesky.listing import Listing
from platforms.bluesky.oauth import REMOVAL_SCOPES, SCOPES, OAuth
from platforms.bluesky.posting import Posting
from platforms.bluesky.removing import Removing
from platforms.bluesky.servers import Servers
from platforms.bluesky.settings import BlueskySettings
from platforms.bluesky.xrpc import ask_openly
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.removal import Removal
from platforms.shape import Call, Counts, PlatformName, Profile


class _Reading:
    """From the AppView, which needs no permission for it."""

    def __init__(self, appview: str) -> None:
        self._appview = appview

    async def profile(self, call: Call) -> Profile:
        actor = {"actor": call.grant.account_id}
        document = await ask_openly(call, self._appview, "app.bsky.actor.getProfile", actor, answers.Profile)
        handle = document.handle or call.grant.account_id
        return Profile(
            account_id=call.grant.account_id,
            handle=handle,
            display_name=document.display_name or handle,
            avatar_url=document.avatar or None,
            account_type=None,
        )

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Bluesky counts no views. A share is a repost or a quote."""
        uris = [("uris", uri) for uri in post_ids]
        document = await ask_openly(call, self._appview, "app.bsky.feed.getPosts", uris, answers.PostViews)
        return {
            post.uri: Counts(
                likes=post.like_count, comments=post.reply_count, shares=post.repost_count + post.quote_count
            )
            for post in document.posts
        }


def create(endpoints: BlueskyEndpoints) -> ComposedPlatform:
    directory, servers = Directory(endpoints), Servers()
    return ComposedPlatform(
        name=PlatformName.BLUESKY,
        scopes=SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_URIS_MAX,
        settings=BlueskySettings,
        rules=rules.check,
        authorising=OAuth(endpoints, directory, servers),
        posting=Posting(endpoints, directory, servers),
        reading=_Reading(endpoints.appview),
        listing=Listing(servers),
        removal=Removal(
            "https://bsky.app",
            "Open the post in Bluesky, choose the three dots, then Delete post.",
            also_needs=frozenset(REMOVAL_SCOPES),
        ),
        removing=Removing(servers),
    )


def _place(base: str | None) -> Placed:
    endpoints = BlueskyEndpoints()
    if base:
        endpoints = BlueskyEndpoints(base, base, base, base, base, server_hosts=(urlsplit(base).netloc,))
    shared = (endpoints.entryway, endpoints.directory, endpoints.appview, endpoints.video)
    return Placed(create(endpoints), (*(urlsplit(each).netloc for each in shared), *endpoints.server_hosts))


ACCESS = Access(
    Renewal.BY_REFRESH_TOKEN,
    Reach.AUTHORISATION,
    Withdrawal(
        "https://bsky.social/account",
        "The account page of your server (for most people bsky.social), Connected apps.",
    ),
)

BLUESKY = Entry(PlatformName.BLUESKY, _place, ACCESS, post_hosts=("bsky.app",))
