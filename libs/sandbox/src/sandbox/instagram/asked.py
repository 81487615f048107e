"""What is asked of a new container besides its file: which kind, which words, who is in it. All strict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.meta.answers import GraphError, invalid
from sandbox.meta.graph import Ask

CAPTION_MAX, HASHTAGS_MAX, MENTIONS_MAX, ALT_TEXT_MAX = 2_200, 30, 20, 1_000
COLLABORATORS_MAX = 3

NOT_ON = {
    "CHILD": {"caption", "location_id", "collaborators", "children", "is_ai_generated", "thumb_offset", "cover_url"},
    "STORIES": {"caption", "location_id", "collaborators", "alt_text", "thumb_offset", "cover_url"},
    "IMAGE": {"children", "thumb_offset", "cover_url", "share_to_feed"},
    "CAROUSEL": {"alt_text", "user_tags", "thumb_offset", "cover_url"},
    "REELS": {"children", "alt_text"},
}
"""Parameters by the kind that does not take them."""


def kind_of(ask: Ask) -> str:
    told = ask.parameters.get("media_type", "IMAGE")
    if "upload_type" in ask.parameters:
        raise invalid("Param upload_type is not available with Instagram Login")
    child = ask.flag("is_carousel_item", otherwise=False)
    if told not in (("IMAGE", "VIDEO") if child else ("IMAGE", "REELS", "STORIES", "CAROUSEL")):
        raise GraphError(100, "(#100) Unknown media type", subcode=2207023)
    kind = "CHILD" if child else told
    refused = NOT_ON[kind] & set(ask.parameters)
    if refused:
        raise invalid(f"param {min(refused)} is not allowed")
    return kind


def about_of(ask: Ask, kind: str) -> dict[str, Any]:
    """What is told besides the file and the caption."""
    about = {name: _listed(ask, name) for name in ("collaborators", "user_tags") if name in ask.parameters}
    if len(about.get("collaborators", ())) > COLLABORATORS_MAX:
        raise invalid("param collaborators is not allowed")
    for tag in about.get("user_tags", ()):
        _check_tag(ask, kind, tag)
    if len(ask.parameters.get("alt_text", "")) > ALT_TEXT_MAX or {"alt_text", "video_url"} <= set(ask.parameters):
        raise invalid("param alt_text is not allowed")
    for name in ("location_id", "thumb_offset"):
        if name in ask.parameters:
            about[name] = ask.parameters[name]
            if not about[name].isdigit():
                raise invalid(f"Param {name} must be a number")
    if kind == "REELS":
        about["share_to_feed"] = ask.flag("share_to_feed", otherwise=True)
    return about | ({"is_ai_generated": True} if ask.flag("is_ai_generated", otherwise=False) else {})


def caption_of(ask: Ask) -> str:
    caption = ask.parameters.get("caption", "")
    hashtags, mentions = len(re.findall(r"(?<!\w)#\w+", caption)), len(re.findall(r"(?<!\w)@[\w.]+", caption))
    if len(caption) > CAPTION_MAX or hashtags > HASHTAGS_MAX or mentions > MENTIONS_MAX:
        raise GraphError(36004, "The caption was too long", subcode=2207010, user_title="Caption Too Long")
    return caption


def _listed(ask: Ask, name: str) -> Any:
    value = ask.json(name)
    if not isinstance(value, list):
        raise invalid(f"Param {name} must be an array.")
    return value


def _check_tag(ask: Ask, kind: str, tag: object) -> None:
    """On images of the feed a place is wanted, on videos there is none."""
    if not isinstance(tag, Mapping) or not isinstance(tag.get("username"), str):
        raise GraphError(100, "(#100) A tag is malformed", subcode=2207035)
    placed = "x" in tag and "y" in tag
    if placed is ("video_url" in ask.parameters) and not (kind == "STORIES" and not placed):
        raise GraphError(100, "(#100) A tag's place is missing or not allowed", subcode=2207036)
