"""The imitated Content Posting API: creator's options, init of a video, status, cancel."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Response, Router, post
from litestar.handlers import HTTPRouteHandler

from sandbox.tiktok.answers import AnyRequest, ApiError, body_of, success
from sandbox.tiktok.platform_state import TikTokState
from sandbox.tiktok.publishing import beginnings, is_told
from sandbox.tiktok.state import Account, Grant, Photos, Publication, Upload

MB = 1_000_000
TITLE_UNITS_MAX = 2200


def create_router(state: TikTokState) -> Router:
    """Routes under /v2/post/publish/."""
    return Router("/v2/post/publish", route_handlers=[*_starting(state), *_following_up(state)])


def _starting(state: TikTokState) -> list[HTTPRouteHandler]:
    """What comes before the bytes."""

    @post("/creator_info/query", status_code=200)
    async def creator_info(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.publish", endpoint="creator_info", per_minute=20)
        account = state.accounts[grant.open_id]
        # Refusals of the person come with status 200 here, so that only the code tells.
        _refuse_if_blocked(state, account, status=200)
        return success(_options(account, state.base_url))

    @post("/video/init", status_code=200)
    async def video_init(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.publish", endpoint="init", per_minute=6)
        body = await body_of(request)
        account = state.accounts[grant.open_id]
        post_info, source = body.get("post_info"), body.get("source_info")
        if not isinstance(post_info, dict) or not isinstance(source, dict):
            raise ApiError(400, "invalid_param", "post_info and source_info are required")
        if source.get("source") == "PULL_FROM_URL":
            raise ApiError(403, "url_ownership_unverified", "The URL is not verified for this app")
        check_text(post_info, "title", TITLE_UNITS_MAX)
        check_post(state, grant, account, post_info)
        upload = _create(state, grant, post_info, source)
        url = f"{state.base_url}/video/?upload_id={upload.upload_id}&upload_token={upload.upload_token}"
        return success({"publish_id": upload.publish_id, "upload_url": url})

    return [creator_info, video_init]


def _following_up(state: TikTokState) -> list[HTTPRouteHandler]:
    """What comes after the init."""

    @post("/status/fetch", status_code=200)
    async def status(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.publish", "video.upload", endpoint="status", per_minute=30)
        return success(_status(state, _find(state, grant, await body_of(request))))

    @post("/cancel", status_code=200)
    async def cancel(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.publish", "video.upload", endpoint="cancel", per_minute=30)
        publication = _find(state, grant, await body_of(request))
        if publication.done_at is not None:
            raise ApiError(400, "publish_not_cancellable")
        publication.cancelled = True
        return success()

    return [status, cancel]


def _options(account: Account, base_url: str) -> dict[str, Any]:
    return {
        "creator_avatar_url": f"{base_url}/avatar/{account.username}.jpeg",
        "creator_username": account.username,
        "creator_nickname": account.display_name,
        "privacy_level_options": account.privacy_options(),
        "comment_disabled": account.comment_disabled,
        "duet_disabled": account.duet_disabled or account.private,
        "stitch_disabled": account.stitch_disabled or account.private,
        "max_video_post_duration_sec": account.max_video_post_duration_sec,
    }


def _refuse_if_blocked(state: TikTokState, account: Account, *, status: int) -> None:
    if account.cannot_post:
        raise ApiError(status, account.cannot_post, "The creator cannot post now")
    if state.posts_within_a_day(account.open_id) >= state.tuning.daily_posts_max:
        raise ApiError(status, "spam_risk_too_many_posts", "The daily post cap is reached")


def check_text(post_info: dict[str, Any], name: str, units_max: int) -> None:
    text = post_info.get(name, "")
    if not isinstance(text, str) or len(text.encode("utf-16-le")) // 2 > units_max:
        raise ApiError(400, "invalid_param", f"{name} is too long")


def check_post(state: TikTokState, grant: Grant, account: Account, post_info: dict[str, Any]) -> None:
    """What is refused of every post, whatever is in it."""
    if post_info.get("privacy_level") not in account.privacy_options():
        raise ApiError(403, "privacy_level_option_mismatch", "privacy_level is not offered to this creator")
    if post_info.get("brand_content_toggle") and post_info["privacy_level"] == "SELF_ONLY":
        raise ApiError(400, "invalid_param", "Branded content cannot be private")
    if not state.clients[grant.client_key].audited and not (
        account.private and post_info["privacy_level"] == "SELF_ONLY"
    ):
        raise ApiError(403, "unaudited_client_can_only_post_to_private_accounts")
    _refuse_if_blocked(state, account, status=403)


def _create(state: TikTokState, grant: Grant, post_info: dict[str, Any], source: dict[str, Any]) -> Upload:
    size, chunk, count = (source.get(name) for name in ("video_size", "chunk_size", "total_chunk_count"))
    if not (isinstance(size, int) and isinstance(chunk, int) and isinstance(count, int)):
        raise ApiError(400, "invalid_param", "video_size, chunk_size and total_chunk_count are required")
    if not _is_cut_by_the_rules(size, chunk, count):
        raise ApiError(400, "invalid_param", "The total chunk count is invalid")
    upload = Upload(
        **beginnings(state, grant, post_info, prefix="v_pub_file"),
        upload_id=secrets.token_hex(8),
        upload_token=secrets.token_urlsafe(32),
        size=size,
        chunk_size=chunk,
        chunk_count=count,
    )
    state.uploads[upload.publish_id] = upload
    return upload


def _is_cut_by_the_rules(size: int, chunk: int, count: int) -> bool:
    """The remainder joins the last chunk, so the count is rounded down."""
    if not 0 < size <= 4_000 * MB or chunk <= 0 or not 1 <= count <= 1000:
        return False
    if size < 5 * MB:
        return chunk == size and count == 1
    last = size - chunk * (count - 1)
    return 5 * MB <= chunk <= 64 * MB and count == size // chunk and last <= 128 * MB


def _find(state: TikTokState, grant: Grant, body: dict[str, Any]) -> Publication:
    publication = state.publications().get(str(body.get("publish_id")))
    if publication is None:
        raise ApiError(400, "invalid_publish_id", "The publish_id does not exist")
    if (publication.open_id, publication.client_key) != (grant.open_id, grant.client_key):
        raise ApiError(400, "token_not_authorized_for_specified_publish_id")
    return publication


def _status(state: TikTokState, publication: Publication) -> dict[str, Any]:
    now, progress = state.clock.now(), _progress(publication)
    if publication.cancelled:
        return {"status": "FAILED", "fail_reason": "publish_cancelled", **progress}
    if publication.done_at is None or now < publication.done_at:
        waiting = "PROCESSING_UPLOAD" if isinstance(publication, Upload) else "PROCESSING_DOWNLOAD"
        return {"status": waiting, **progress}
    if publication.fail_reason:
        return {"status": "FAILED", "fail_reason": publication.fail_reason, **progress}
    told = {"publicaly_available_post_id": [int(publication.post_id)]} if is_told(state, publication) else {}
    return {"status": "PUBLISH_COMPLETE", **progress, **told}


def _progress(publication: Publication) -> dict[str, int]:
    match publication:
        case Upload():
            return {"uploaded_bytes": publication.stored}
        case Photos():
            return {"downloaded_bytes": sum(file.size_bytes for file in publication.fetched)}
        case _:
            return {}
