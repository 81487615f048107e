"""Pinterest, put together."""

from __future__ import annotations

from urllib.parse import urlsplit

from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.composed import ComposedPlatform
from platforms.entry import Entry, Placed
from platforms.pinterest import rules
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.endpoints import PinterestEndpoints
from platforms.pinterest.errors import GRANT_INVALID
from platforms.pinterest.limits import INSIGHTS_PINS_MAX, KINDS, LIMITS
from platforms.pinterest.listing import Listing
from platforms.pinterest.oauth import SCOPES, OAuth
from platforms.pinterest.posting import Posting
from platforms.pinterest.reading import Reading
from platforms.pinterest.removing import Removing
from platforms.pinterest.settings import PinterestSettings
from platforms.removal import Removal
from platforms.shape import PlatformName


def create(endpoints: PinterestEndpoints) -> ComposedPlatform:
    api = PinterestApi(endpoints)
    return ComposedPlatform(
        name=PlatformName.PINTEREST,
        scopes=SCOPES,
        kinds=KINDS,
        limits=LIMITS,
        insights_batch_max=INSIGHTS_PINS_MAX,
        settings=PinterestSettings,
        rules=rules.check,
        authorising=OAuth(endpoints, api),
        posting=Posting(endpoints, api),
        reading=Reading(api),
        listing=Listing(api),
        removal=Removal(
            "https://www.pinterest.com",
            "Open the pin at Pinterest, choose the pen (Edit pin), then Delete.",
        ),
        removing=Removing(api),
        secret_facts=("upload_target",),
    )


def _place(base: str | None) -> Placed:
    endpoints = PinterestEndpoints()
    if base:
        endpoints = PinterestEndpoints(web=base, api=f"{base}/v5", upload_hosts=(urlsplit(base).netloc,))
    return Placed(create(endpoints), (urlsplit(endpoints.api).netloc, *endpoints.upload_hosts))


ACCESS = Access(
    Renewal.ROLLING,
    Reach.NOTHING,
    Withdrawal(
        "https://www.pinterest.com/settings/security/",
        "Settings, Security, Connected apps.",
    ),
    proofs=frozenset({f"400.{GRANT_INVALID}", f"401.{GRANT_INVALID}"}),
)

PINTEREST = Entry(PlatformName.PINTEREST, _place, ACCESS, post_hosts=("pinterest.com", "pin.it"))
