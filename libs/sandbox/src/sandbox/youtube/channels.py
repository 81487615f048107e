"""The imitated channels and playlists."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import draw
from sandbox.youtube.answers import (
    AnyRequest,
    ApiError,
    body_of,
    document,
    listed,
    listing,
    number_of,
    part_of,
    parts_of,
    resource,
)
from sandbox.youtube.platform_state import YouTubeState
from sandbox.youtube.state import CHANGING, READING, Channel, Grant, Item, Playlist, told
from sandbox.youtube.videos import thumbnails_of

CHANNEL_PARTS = ("id", "snippet", "statistics", "contentDetails", "status")
PLAYLIST_PARTS = ("id", "snippet", "status", "contentDetails")
ITEM_PARTS = ("id", "snippet", "contentDetails", "status")
PAGE_MAX = 50


def create_router(state: YouTubeState) -> Router:
    """Routes of channels, playlists and what is in them."""
    return Router("/youtube/v3", route_handlers=[_channels(state), _playlists(state), *_items(state)])


def _channels(state: YouTubeState) -> HTTPRouteHandler:
    @get("/channels", sync_to_thread=False)
    def channels(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *READING)
        parts, ids = parts_of(request, CHANNEL_PARTS), listed(request, "id")
        if request.query_params.get("mine") == "true":
            ids = [grant.channel_id]
        elif not ids:
            raise ApiError(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
        found = [c for c in state.channels.values() if c.channel_id in ids and c.exists]
        if not found:
            # A list without anything has no `items` at all.
            page = {"totalResults": 0, "resultsPerPage": 5}
            return document(resource("channelListResponse", {"pageInfo": page}))
        return listing("channelListResponse", [_channel(state, channel, parts) for channel in found], per_page=5)

    return channels


def _playlists(state: YouTubeState) -> HTTPRouteHandler:
    @get("/playlists", sync_to_thread=False)
    def playlists(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *READING)
        parts, ids = parts_of(request, PLAYLIST_PARTS), listed(request, "id")
        mine = request.query_params.get("mine") == "true"
        if not ids and not mine:
            raise ApiError(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
        found = [
            playlist
            for playlist in state.playlists.values()
            if playlist.playlist_id in ids or (mine and playlist.channel_id == grant.channel_id)
        ]
        items = [_playlist(playlist, parts) for playlist in found]
        return listing("playlistListResponse", items, per_page=5)

    return playlists


def _items(state: YouTubeState) -> list[HTTPRouteHandler]:
    @get("/playlistItems", sync_to_thread=False)
    def list_items(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *READING)
        parts, size = parts_of(request, ITEM_PARTS), number_of(request, "maxResults", 5, PAGE_MAX)
        playlist_id = request.query_params.get("playlistId", "")
        items = _contents(state, playlist_id)
        video_id = request.query_params.get("videoId")
        shown = [item for item in items if video_id in (None, item.video_id) and _may_see(state, grant, item)]
        begin = number_of(request, "pageToken", 0, len(shown))
        told_items = [_item(state, playlist_id, item, parts) for item in shown[begin : begin + size]]
        more = {"nextPageToken": str(begin + size)} if begin + size < len(shown) else {}
        return listing("playlistItemListResponse", told_items, per_page=size, **more)

    @post("/playlistItems", status_code=200)
    async def add_item(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *CHANGING, cost=50)
        parts = parts_of(request, ITEM_PARTS)
        snippet = part_of(await body_of(request), "snippet")
        playlist = state.playlists.get(str(snippet.get("playlistId")))
        if playlist is None:
            raise ApiError(404, "playlistNotFound", domain="youtube.playlistItem")
        if playlist.channel_id != grant.channel_id:
            raise ApiError(403, "playlistItemsNotAccessible", domain="youtube.playlistItem")
        video_id = str(part_of(snippet, "resourceId").get("videoId"))
        if video_id not in state.videos or part_of(snippet, "resourceId").get("kind") != "youtube#video":
            raise ApiError(404, "videoNotFound", domain="youtube.playlistItem")
        item = Item(secrets.token_urlsafe(24), video_id, state.clock.now())
        playlist.items.append(item)
        return document(_item(state, playlist.playlist_id, item, parts))

    return [list_items, add_item]


def _contents(state: YouTubeState, playlist_id: str) -> list[Item]:
    if playlist_id in state.playlists:
        return state.playlists[playlist_id].items
    for channel in state.channels.values():
        if channel.uploads_playlist == playlist_id:
            return state.uploads(channel.channel_id)
    raise ApiError(404, "playlistNotFound", domain="youtube.playlistItem")


def _may_see(state: YouTubeState, grant: Grant, item: Item) -> bool:
    video = state.videos.get(item.video_id)
    return video is not None and (video.privacy != "private" or video.channel_id == grant.channel_id)


def _channel(state: YouTubeState, channel: Channel, parts: list[str]) -> dict[str, Any]:
    picture = {"url": f"{state.base_url}/avatar/{channel.handle}.jpg", "width": 88, "height": 88}
    videos = sum(v.channel_id == channel.channel_id and v.privacy == "public" for v in state.videos.values())
    known: dict[str, Any] = {
        "snippet": {
            "title": channel.title,
            "description": "",
            "customUrl": f"@{channel.handle}",
            "publishedAt": "2020-01-01T00:00:00Z",
            "thumbnails": {"default": picture},
        },
        "contentDetails": {"relatedPlaylists": {"likes": "LL", "uploads": channel.uploads_playlist}},
        "statistics": {
            "viewCount": str(draw(channel.channel_id, "views") % 90_000),
            "subscriberCount": str(draw(channel.channel_id, "subscribers") % 5_000),
            "hiddenSubscriberCount": False,
            "videoCount": str(videos),
        },
        "status": {
            "privacyStatus": "public",
            "isLinked": True,
            "longUploadsStatus": "allowed" if channel.phone_verified else "eligible",
        },
    }
    return resource("channel", {"id": channel.channel_id} | {name: known[name] for name in parts if name in known})


def _playlist(playlist: Playlist, parts: list[str]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "snippet": {"channelId": playlist.channel_id, "title": playlist.title, "description": ""},
        "status": {"privacyStatus": "public"},
        "contentDetails": {"itemCount": len(playlist.items)},
    }
    return resource("playlist", {"id": playlist.playlist_id} | {name: known[name] for name in parts if name in known})


def _item(state: YouTubeState, playlist_id: str, item: Item, parts: list[str]) -> dict[str, Any]:
    video = state.videos[item.video_id]
    known: dict[str, Any] = {
        "snippet": {
            "publishedAt": told(item.added_at),
            "channelId": video.channel_id,
            "title": video.snippet["title"],
            "description": video.snippet["description"],
            "thumbnails": thumbnails_of(state.base_url, video.video_id),
            "playlistId": playlist_id,
            "resourceId": {"kind": "youtube#video", "videoId": video.video_id},
        },
        "contentDetails": {"videoId": video.video_id, "videoPublishedAt": told(video.uploaded_at)},
        "status": {"privacyStatus": video.privacy},
    }
    return resource("playlistItem", {"id": item.item_id} | {name: known[name] for name in parts if name in known})
