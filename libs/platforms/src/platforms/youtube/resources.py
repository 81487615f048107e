"""What is sent to YouTube: the same delivery always makes the same documents."""

from __future__ import annotations

from typing import Any

from platforms.shape import Delivery
from platforms.youtube.settings import YouTubeSettings

INSERT_PARTS = "snippet,status,paidProductPlacementDetails"


def new_video(delivery: Delivery, settings: YouTubeSettings) -> dict[str, Any]:
    """The video as it is uploaded: complete, and seen by nobody."""
    snippet: dict[str, Any] = {
        "title": settings.title,
        "description": delivery.text,
        "categoryId": settings.category_id,
    }
    if settings.tags:
        snippet["tags"] = list(settings.tags)
    if settings.language:
        snippet["defaultLanguage"] = settings.language
    return {
        "snippet": snippet,
        "status": status(settings, privacy="private"),
        "paidProductPlacementDetails": {"hasPaidProductPlacement": settings.has_paid_promotion},
    }


def shown_video(video_id: str, settings: YouTubeSettings) -> dict[str, Any]:
    """The update that shows it. It replaces the whole part, so everything chosen is told again."""
    return {"id": video_id, "status": status(settings, privacy=settings.visibility)}


def status(settings: YouTubeSettings, *, privacy: str) -> dict[str, Any]:
    return {
        "privacyStatus": privacy,
        "selfDeclaredMadeForKids": settings.made_for_kids,
        "containsSyntheticMedia": settings.contains_synthetic_media,
        "license": settings.license,
        "embeddable": settings.embeddable,
        "publicStatsViewable": settings.public_stats_viewable,
    }


def playlist_item(video_id: str, playlist_id: str) -> dict[str, Any]:
    resource = {"kind": "youtube#video", "videoId": video_id}
    return {"snippet": {"playlistId": playlist_id, "resourceId": resource}}


def comment(video_id: str, channel_id: str, text: str) -> dict[str, Any]:
    written = {"snippet": {"textOriginal": text}}
    return {"snippet": {"channelId": channel_id, "videoId": video_id, "topLevelComment": written}}
