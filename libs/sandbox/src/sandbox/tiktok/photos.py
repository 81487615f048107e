"""The imitated photo posts: every address is fetched over HTTP, without following redirects, then it is posted."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response, Router, post

from sandbox.fetching import NotFetched, fetch
from sandbox.tiktok.answers import AnyRequest, ApiError, body_of, success
from sandbox.tiktok.platform_state import TikTokState
from sandbox.tiktok.posting import check_post, check_text
from sandbox.tiktok.publishing import beginnings, fail, publish
from sandbox.tiktok.state import Client, Grant, Photos

IMAGES_MAX = 35
IMAGE_BYTES_MAX = 20_000_000
IMAGE_TYPES = ("image/jpeg", "image/webp")
TITLE_UNITS_MAX = 90
DESCRIPTION_UNITS_MAX = 4000

FIELDS = ("media_type", "post_mode", "post_info", "source_info", "is_aigc")
SOURCE_FIELDS = ("source", "photo_cover_index", "photo_images")
SWITCHES = ("disable_comment", "auto_add_music", "brand_content_toggle", "brand_organic_toggle")
INFO_FIELDS = ("title", "description", "privacy_level", *SWITCHES)


def create_router(state: TikTokState) -> Router:
    """The one route of photos."""

    @post("/v2/post/publish/content/init", status_code=200)
    async def content_init(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.publish", "video.upload", endpoint="init", per_minute=6)
        photos = _read(state, grant, await body_of(request))
        state.photos[photos.publish_id] = photos
        task = asyncio.create_task(_fetch_all(state, photos))
        state.fetching.add(task)
        task.add_done_callback(state.fetching.discard)
        return success({"publish_id": photos.publish_id})

    return Router("/", route_handlers=[content_init])


def _read(state: TikTokState, grant: Grant, body: dict[str, Any]) -> Photos:
    """The wish in the form the API takes, or its refusal. What a field may not be is refused, never ignored."""
    post_info, source = _known(body.get("post_info"), INFO_FIELDS), _known(body.get("source_info"), SOURCE_FIELDS)
    _known(body, FIELDS)
    if body.get("media_type") != "PHOTO" or source.get("source") != "PULL_FROM_URL":
        raise ApiError(400, "invalid_param", "Only PHOTO with PULL_FROM_URL is supported")
    _check_mode(grant, body.get("post_mode"))
    for name, units_max in (("title", TITLE_UNITS_MAX), ("description", DESCRIPTION_UNITS_MAX)):
        check_text(post_info, name, units_max)
    switches = [post_info.get(name, False) for name in SWITCHES] + [body.get("is_aigc", False)]
    if not all(isinstance(switch, bool) for switch in switches):
        raise ApiError(400, "invalid_param", "A switch is true or false")
    check_post(state, grant, state.accounts[grant.open_id], post_info)
    addresses = _addresses(state.clients[grant.client_key], source)
    return Photos(
        **beginnings(state, grant, post_info, prefix="p_pub_url"),
        addresses=addresses,
        cover_index=_cover(source, len(addresses)),
        made_by_ai=bool(body.get("is_aigc")),
    )


def _known(document: object, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) - set(names):
        raise ApiError(400, "invalid_param", f"An object with {', '.join(names)} is expected")
    return document


def _check_mode(grant: Grant, mode: object) -> None:
    """Drafts are refused as a creator's old TikTok refuses them; posting is only for who granted it."""
    if mode == "MEDIA_UPLOAD":
        raise ApiError(400, "app_version_check_failed", "The TikTok app must be at least 31.8")
    if mode != "DIRECT_POST":
        raise ApiError(400, "invalid_param", "post_mode is invalid")
    if "video.publish" not in grant.scopes:
        raise ApiError(401, "scope_not_authorized", "The user did not authorize the scope required.")


def _addresses(client: Client, source: dict[str, Any]) -> list[str]:
    addresses = source.get("photo_images")
    if not isinstance(addresses, list) or not 1 <= len(addresses) <= IMAGES_MAX:
        raise ApiError(400, "invalid_param", f"photo_images holds 1 to {IMAGES_MAX} addresses")
    for address in addresses:
        if not isinstance(address, str) or not address.startswith(tuple(client.verified_prefixes)):
            raise ApiError(403, "url_ownership_unverified", "The URL is not verified for this app")
    return addresses


def _cover(source: dict[str, Any], count: int) -> int:
    cover = source.get("photo_cover_index")
    if not isinstance(cover, int) or isinstance(cover, bool) or not 0 <= cover < count:
        raise ApiError(400, "invalid_param", "photo_cover_index names none of the images")
    return cover


async def _fetch_all(state: TikTokState, photos: Photos) -> None:
    """One image that cannot be had fails the whole post."""
    for address in photos.addresses:
        try:
            image = await fetch(address, bytes_max=IMAGE_BYTES_MAX)
        except NotFetched:
            fail(state, photos, "photo_pull_failed")
            return
        if photos.cancelled:
            return
        if image.content_type not in IMAGE_TYPES:
            fail(state, photos, "file_format_check_failed")
            return
        photos.fetched.append(image)
    chosen = {"photo_cover_index": photos.cover_index, "is_aigc": photos.made_by_ai}
    publish(state, photos, text_field="description", media=tuple(photos.fetched), settings=chosen)
