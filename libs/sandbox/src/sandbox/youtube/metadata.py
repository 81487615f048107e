"""What the imitated YouTube takes as a video's snippet and status, and with which reason it refuses the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.youtube.answers import ApiError

CATEGORIES = ("1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29")
PRIVACIES = ("public", "unlisted", "private")


def checked_snippet(told: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
    """The mutable part of a snippet; `whole` as an update needs it, with title and category."""
    title, description, tags = told.get("title", ""), told.get("description", ""), told.get("tags", [])
    category = told.get("categoryId")
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= len(title) <= 100 or _brackets(title):
        raise ApiError(400, "invalidTitle", "The request metadata specifies an invalid or empty video title.")
    if not isinstance(description, str) or len(description.encode()) > 5000 or _brackets(description):
        raise ApiError(400, "invalidDescription", "The request metadata specifies an invalid video description.")
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags) or _length(tags) > 500:
        raise ApiError(400, "invalidTags", "The request metadata specifies invalid video keywords.")
    if (category is None and whole) or (category is not None and category not in CATEGORIES):
        raise ApiError(400, "invalidCategoryId", "The snippet.categoryId property specifies an invalid category ID.")
    kept: dict[str, Any] = {"title": title, "description": description, "categoryId": category or "22"}
    if tags:
        kept["tags"] = tags
    for name in ("defaultLanguage", "defaultAudioLanguage"):
        if told.get(name):
            kept[name] = told[name]
    return kept


def checked_status(told: dict[str, Any], *, shown_at: datetime | None) -> dict[str, Any]:
    """The mutable part of a status. What is not told falls back to YouTube's own choice, which is to show it."""
    privacy = told.get("privacyStatus", "public")
    if privacy not in PRIVACIES:
        raise ApiError(400, "badRequest", "privacyStatus is unknown", domain="global")
    if told.get("publishAt") and (privacy != "private" or shown_at is not None):
        raise ApiError(400, "invalidPublishAt", "The request metadata specifies an invalid scheduled publishing time.")
    if told.get("license", "youtube") not in ("youtube", "creativeCommon"):
        raise ApiError(400, "badRequest", "license is unknown", domain="global")
    kept = {
        "privacyStatus": privacy,
        "license": told.get("license", "youtube"),
        "embeddable": bool(told.get("embeddable", True)),
        "publicStatsViewable": bool(told.get("publicStatsViewable", True)),
        "selfDeclaredMadeForKids": bool(told.get("selfDeclaredMadeForKids", False)),
        "containsSyntheticMedia": bool(told.get("containsSyntheticMedia", False)),
    }
    return kept | ({"publishAt": told["publishAt"]} if told.get("publishAt") else {})


def _brackets(text: str) -> bool:
    return "<" in text or ">" in text


def _length(tags: list[str]) -> int:
    return sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(len(tags) - 1, 0)
