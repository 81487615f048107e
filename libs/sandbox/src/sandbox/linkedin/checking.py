"""What the imitated LinkedIn refuses of a post."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.linkedin.answers import ApiError, invalid, missing
from sandbox.linkedin.littletext import shown
from sandbox.linkedin.media import status_of
from sandbox.linkedin.state import LinkedInState, Shown
from sandbox.truth import PostedMedia

FINDER = "FINDER"
REQUIRED = ("author", "commentary", "visibility", "distribution", "lifecycleState")
FIELDS = frozenset({*REQUIRED, "content", "isReshareDisabledByAuthor", "reshareContext"})
VISIBILITIES = ("PUBLIC", "CONNECTIONS", "LOGGED_IN", "CONTAINER")
CONTENTS = frozenset({"media", "multiImage", "article", "poll", "reference"})
DURATIONS = ("ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS")
TEXT_MAX = 3000
DUPLICATE_SECONDS = 600
DEAD_DUPLICATE_SECONDS = 86_400
"""For so long a removed post still stands in the way of the same words."""


def check(body: Mapping[str, Any]) -> None:
    for name in REQUIRED:
        if name not in body:
            raise missing(name)
    for name in body.keys() - FIELDS:
        raise ApiError(422, "UNPROCESSABLE_ENTITY", f"ERROR :: /{name} :: unrecognized field found but not allowed")
    if not str(body["author"]).startswith(("urn:li:person:", "urn:li:organization:")):
        raise invalid("INVALID_URN_TYPE", "author must be a person or an organization")
    if body["lifecycleState"] != "PUBLISHED" or body["visibility"] not in VISIBILITIES:
        raise invalid("INVALID_VALUE_FOR_FIELD", "A field has a value that is not allowed")
    if body["visibility"] == "CONNECTIONS" and str(body["author"]).startswith("urn:li:organization:"):
        raise invalid("INVALID_VALUE_FOR_FIELD", "An organization has no connections")
    if len(shown(str(body["commentary"])).encode("utf-16-le")) // 2 > TEXT_MAX:
        raise invalid("FIELD_LENGTH_TOO_LONG", "commentary is too long")
    content = body.get("content")
    if content is not None:
        _check_content(content)
    elif not str(body["commentary"]).strip():
        raise invalid("INVALID_VALUE_BLANK_FIELD", "commentary is blank")


def _check_content(content: Any) -> None:
    if not isinstance(content, dict) or len(content) != 1 or not content.keys() <= CONTENTS:
        raise invalid("INVALID_VALUE_FOR_FIELD", "content has exactly one member")
    match content:
        case {"media": media}:
            if str(media.get("id")).startswith("urn:li:document:") and not media.get("title"):
                raise invalid("MISSING_FIELD", "A document needs a title")
        case {"multiImage": several}:
            if not 2 <= len(several.get("images", [])) <= 20:
                raise invalid("INVALID_VALUE_FOR_FIELD", "multiImage has 2 to 20 images")
        case {"article": article}:
            if not article.get("source") or not article.get("title"):
                raise invalid("MISSING_FIELD", "An article needs source and title")
        case {"poll": poll}:
            _check_poll(poll)


def _check_poll(poll: Mapping[str, Any]) -> None:
    texts = [str(option.get("text", "")) for option in poll.get("options", [])]
    if not 0 < len(poll.get("question", "")) <= 140 or not 2 <= len(texts) <= 4:
        raise invalid("INVALID_VALUE_FOR_FIELD", "A poll has a question and two to four options")
    if any(not 0 < len(text) <= 30 for text in texts):
        raise invalid("FIELD_LENGTH_TOO_LONG", "An option has up to 30 characters")
    if poll.get("settings", {}).get("duration") not in DURATIONS:
        raise invalid("INVALID_VALUE_FOR_FIELD", "A poll has no such duration")


def files_of(state: LinkedInState, body: Mapping[str, Any]) -> tuple[PostedMedia, ...]:
    """The files that a post names, if they are its author's and ready."""
    found = []
    for urn, alt_text, kinds in _named(body.get("content") or {}):
        asset = state.assets.get(urn)
        if asset is None or asset.kind not in kinds:
            raise invalid("INVALID_VIDEO_ID" if urn.startswith("urn:li:video:") else "INVALID_URN_ID", "Unknown asset")
        if asset.owner != body["author"]:
            raise invalid("INVALID_URN_ID", "The asset belongs to another author")
        match status_of(state, asset):
            case "WAITING_UPLOAD" | "PROCESSING":
                raise invalid("MEDIA_ASSET_WAITING_UPLOAD", "The asset is waiting for its upload")
            case "PROCESSING_FAILED":
                raise invalid("MEDIA_ASSET_PROCESSING_FAILED", "The asset could not be processed")
        assert asset.stored is not None
        found.append(replace(asset.stored, alt_text=alt_text))
    return tuple(found)


def refuse_duplicate(state: LinkedInState, body: Mapping[str, Any]) -> None:
    """The same author with the same words and the same content, a little later."""
    for known in state.posts.values():
        seconds = DEAD_DUPLICATE_SECONDS if known.removed else DUPLICATE_SECONDS
        recent = state.clock.now() - known.created_at < timedelta(seconds=seconds)
        if recent and _same(known, body):
            raised = ApiError(422, "", "", precise="DUPLICATE_POST")
            del raised.document["code"]
            raised.document["message"] = (
                "com.linkedin.content.common.exception.BadRequestResponseException: "
                f"Content is a duplicate of {known.urn}"
            )
            raised.document["errorDetails"]["inputErrors"][0]["description"] = "Duplicate post is detected"
            raise raised


def _same(known: Shown, body: Mapping[str, Any]) -> bool:
    return all(known.body.get(name) == body.get(name) for name in ("author", "commentary", "content"))


def _named(content: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each file with its alternative text and the kinds it may be of."""
    if media := content.get("media"):
        yield str(media.get("id")), str(media.get("altText", "")), ("image", "video", "document")
    for image in content.get("multiImage", {}).get("images", []):
        yield str(image.get("id")), str(image.get("altText", "")), ("image",)
    if thumbnail := content.get("article", {}).get("thumbnail"):
        yield str(thumbnail), "", ("image",)
