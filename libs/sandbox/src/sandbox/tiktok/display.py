"""The imitated Display API: profile, list of videos, counts of videos."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import audience, draw, share_of
from sandbox.shown import permalink
from sandbox.tiktok.answers import AnyRequest, ApiError, body_of, success
from sandbox.tiktok.platform_state import NAME, TikTokState
from sandbox.tiktok.publishing import is_told
from sandbox.tiktok.state import Account
from sandbox.truth import Post

FIELDS_BY_SCOPE = {
    "user.info.basic": ("open_id", "union_id", "avatar_url", "avatar_url_100", "avatar_large_url", "display_name"),
    "user.info.profile": ("bio_description", "profile_deep_link", "profile_web_link", "is_verified", "username"),
    "user.info.stats": ("follower_count", "following_count", "likes_count", "video_count"),
}
PER_MINUTE = 600


def create_router(state: TikTokState) -> Router:
    """Routes of the profile and the videos."""
    return Router("/", route_handlers=[_user_info(state), *_videos(state), _permalink(state)])


def _user_info(state: TikTokState) -> HTTPRouteHandler:
    @get("/v2/user/info", sync_to_thread=False)
    def user_info(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *FIELDS_BY_SCOPE, endpoint="user_info", per_minute=PER_MINUTE)
        fields = _fields(request)
        for scope, names in FIELDS_BY_SCOPE.items():
            if scope not in grant.scopes and set(names) & set(fields):
                raise ApiError(401, "scope_not_authorized", "The user did not authorize the scope required.")
        known = _profile(state, state.accounts[grant.open_id])
        if any(field not in known for field in fields):
            raise ApiError(400, "invalid_params", "One or more fields are invalid")
        return success({"user": {field: known[field] for field in fields}})

    return user_info


def _videos(state: TikTokState) -> list[HTTPRouteHandler]:
    @post("/v2/video/query", status_code=200)
    async def query(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.list", endpoint="video_query", per_minute=PER_MINUTE)
        filters = (await body_of(request)).get("filters")
        ids = filters.get("video_ids") if isinstance(filters, dict) else None
        if not isinstance(ids, list) or not 0 < len(ids) <= 20:
            raise ApiError(400, "invalid_params", "video_ids must hold 1 to 20 ids")
        fields = _fields(request)
        videos = [_video(state, post) for post in _public(state, grant.open_id) if post.post_id in ids]
        return success({"videos": [{name: video.get(name) for name in fields} for video in videos]})

    @post("/v2/video/list", status_code=200)
    async def listing(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "video.list", endpoint="video_list", per_minute=PER_MINUTE)
        body, fields = await body_of(request), _fields(request)
        count = body.get("max_count", 10)
        if not isinstance(count, int) or not 1 <= count <= 20:
            raise ApiError(400, "invalid_params", "max_count must be 1 to 20")
        before = body.get("cursor") or _milliseconds(state.clock.now()) + 1
        older = [post for post in reversed(_public(state, grant.open_id)) if _milliseconds(post.posted_at) < before]
        videos = [_video(state, post) for post in older[:count]]
        cursor = _milliseconds(older[:count][-1].posted_at) if videos else before
        shown = [{name: video.get(name) for name in fields} for video in videos]
        return success({"videos": shown, "cursor": cursor, "has_more": len(older) > count})

    return [query, listing]


def _permalink(state: TikTokState) -> HTTPRouteHandler:
    @get(["/{author:str}/video/{post_id:str}", "/{author:str}/photo/{post_id:str}"], sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        author, post_id = str(request.path_params["author"]), str(request.path_params["post_id"])
        return permalink(state.truth, NAME, post_id, author=author)

    return show


def _fields(request: AnyRequest) -> list[str]:
    fields = [field for field in request.query_params.get("fields", "").split(",") if field]
    if not fields:
        raise ApiError(400, "invalid_params", "fields is required")
    return fields


def _profile(state: TikTokState, account: Account) -> dict[str, Any]:
    avatar = f"{state.base_url}/avatar/{account.username}.jpeg"
    return {
        "open_id": account.open_id,
        "union_id": account.union_id,
        "avatar_url": avatar,
        "avatar_url_100": avatar,
        "avatar_large_url": avatar,
        "display_name": account.display_name,
        "bio_description": "",
        "profile_deep_link": f"{state.base_url}/@{account.username}",
        "profile_web_link": f"{state.base_url}/@{account.username}",
        "is_verified": False,
        "username": account.username,
        "follower_count": draw(account.open_id, "followers") % 5000,
        "following_count": draw(account.open_id, "following") % 500,
        "likes_count": draw(account.open_id, "likes") % 90_000,
        "video_count": len(_public(state, account.open_id)),
    }


def _public(state: TikTokState, open_id: str) -> list[Post]:
    """What is public only, oldest first: what is private cannot be found by any call."""
    shown = state.publications() if state.tuning.photos_listed else state.uploads
    told = {publication.post_id for publication in shown.values() if is_told(state, publication)}
    return [post for post in state.truth.posts(NAME, open_id) if post.post_id in told]


def _video(state: TikTokState, post: Post) -> dict[str, Any]:
    views = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    username = state.accounts[post.account_id].username
    photos = any(photos.post_id == post.post_id for photos in state.photos.values())
    return {
        "id": post.post_id,
        "title": str(post.settings.get("title", post.text))[:150],
        "video_description": post.text[:150],
        "create_time": int(post.posted_at.timestamp()),
        "share_url": f"{state.base_url}/@{username}/{'photo' if photos else 'video'}/{post.post_id}",
        "duration": 0 if photos else 15,
        "height": 1920,
        "width": 1080,
        "view_count": views,
        "like_count": share_of(views, post.post_id, "like", permille=60),
        "comment_count": share_of(views, post.post_id, "comment", permille=8),
        "share_count": share_of(views, post.post_id, "share", permille=5),
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
