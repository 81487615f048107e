"""A delivery as the posts it becomes, and each post with its gates as the records that are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from platforms.bluesky.cid import cid_of
from platforms.bluesky.limits import GIF_TYPE, IMAGES_MAX
from platforms.bluesky.settings import BlueskySettings
from platforms.bluesky.tid import tid_for
from platforms.shape import Delivery, Media, MediaKind

POST = "app.bsky.feed.post"
THREADGATE = "app.bsky.feed.threadgate"
POSTGATE = "app.bsky.feed.postgate"
_RULES = {"mentioned": "mentionRule", "followers": "followerRule", "following": "followingRule"}


@dataclass(frozen=True)
class Part:
    """One post of a delivery. `media` are positions in the delivery's; `answers` is the part it replies to."""

    index: int
    text: str
    pointer: str
    media: tuple[int, ...]
    answers: int | None


@dataclass(frozen=True)
class Write:
    """One record under its key."""

    collection: str
    rkey: str
    record: dict[str, Any]
    cid: str


@dataclass(frozen=True)
class Materials:
    """What only the servers can tell: blobs by SHA-256, marks by part, the quoted post's address and identifier."""

    blobs: Mapping[str, Any]
    facets: Mapping[int, list[dict[str, Any]]] = field(default_factory=dict)
    quoted: Mapping[str, str] | None = None


def settings_of(settings: Mapping[str, Any]) -> BlueskySettings:
    return msgspec.convert(dict(settings), BlueskySettings)


def parts_of(text: str, media: Sequence[Media], settings: BlueskySettings) -> list[Part]:
    """The post itself, the thread below it, and the first reply. Media that no part takes stay with the post."""
    taken = {position for part in settings.thread for position in part.media}
    parts = [Part(0, text, "/text", tuple(p for p in range(len(media)) if p not in taken), None)]
    for index, part in enumerate(settings.thread, 1):
        parts.append(Part(index, part.text, f"/settings/thread/{index - 1}/text", part.media, index - 1))
    if settings.first_comment:
        parts.append(Part(len(parts), settings.first_comment, "/settings/first_comment", (), 0))
    return parts


def is_moving(media: Media) -> bool:
    """Goes through the video service. A GIF among images would stand still, so it comes alone."""
    return media.kind is MediaKind.VIDEO or media.content_type == GIF_TYPE


def writes_of(did: str, delivery: Delivery, materials: Materials) -> list[Write]:
    """Every record of the delivery, the first post first. The same delivery always makes the same records."""
    settings = settings_of(delivery.settings)
    posts: list[Write] = []
    gates: list[Write] = []
    for part in parts_of(delivery.text, delivery.media, settings):
        record = _post(part, delivery, settings, materials)
        if part.answers is not None:
            record["reply"] = {"root": _reference(did, posts[0]), "parent": _reference(did, posts[part.answers])}
        rkey = tid_for(delivery.planned_at, delivery.publication_id, part.index)
        posts.append(_written(POST, rkey, record))
        gates += _gates(f"at://{did}/{POST}/{rkey}", part, rkey, record["createdAt"], settings)
    return posts + gates


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _post(part: Part, delivery: Delivery, settings: BlueskySettings, materials: Materials) -> dict[str, Any]:
    created_at = timestamp(delivery.planned_at + timedelta(milliseconds=part.index))
    record: dict[str, Any] = {"$type": POST, "text": part.text, "createdAt": created_at}
    if settings.langs:
        record["langs"] = list(settings.langs)
    if settings.labels:
        values = [{"val": label} for label in settings.labels]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    if settings.tags and part.index == 0:
        record["tags"] = list(settings.tags)
    if materials.facets.get(part.index):
        record["facets"] = materials.facets[part.index]
    embed = _embed(part, [delivery.media[position] for position in part.media], settings, materials)
    return record | ({"embed": embed} if embed else {})


def _embed(
    part: Part, media: Sequence[Media], settings: BlueskySettings, materials: Materials
) -> dict[str, Any] | None:
    """Link card and quote belong to the first post."""
    first = part.index == 0
    shown = _card(settings, media, materials.blobs) if first and settings.link else _files(media, materials.blobs)
    if not first or materials.quoted is None:
        return shown
    quoted = {"$type": "app.bsky.embed.record", "record": dict(materials.quoted)}
    if shown is None:
        return quoted
    return {"$type": "app.bsky.embed.recordWithMedia", "record": quoted, "media": shown}


def _card(settings: BlueskySettings, media: Sequence[Media], blobs: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody reads the page for us; without a title the card shows where it leads."""
    title = settings.link_title or urlsplit(settings.link).netloc
    card = {"uri": settings.link, "title": title, "description": settings.link_description}
    if media:
        card["thumb"] = blobs[media[0].sha256]
    return {"$type": "app.bsky.embed.external", "external": card}


def _files(media: Sequence[Media], blobs: Mapping[str, Any]) -> dict[str, Any] | None:
    if not media:
        return None
    if is_moving(media[0]):
        embed = {"$type": "app.bsky.embed.video", "video": blobs[media[0].sha256], "aspectRatio": _ratio(media[0])}
        embed |= {"alt": media[0].alt_text} if media[0].alt_text else {}
        return embed | ({"presentation": "gif"} if media[0].content_type == GIF_TYPE else {})
    images = [{"alt": image.alt_text, "image": blobs[image.sha256], "aspectRatio": _ratio(image)} for image in media]
    if len(images) <= IMAGES_MAX:
        return {"$type": "app.bsky.embed.images", "images": images}
    return {
        "$type": "app.bsky.embed.gallery",
        "items": [{"$type": "app.bsky.embed.gallery#image"} | image for image in images],
    }


def _gates(uri: str, part: Part, rkey: str, created_at: str, settings: BlueskySettings) -> list[Write]:
    """Who may reply is said of the thread once, who may quote of each post. A gate has its post's key."""
    gates = []
    if settings.replies and part.index == 0:
        allow = [{"$type": f"{THREADGATE}#{_RULES[who]}"} for who in settings.replies if who in _RULES]
        record = {"$type": THREADGATE, "post": uri, "allow": allow, "createdAt": created_at}
        gates.append(_written(THREADGATE, rkey, record))
    if settings.no_quotes:
        rules = [{"$type": f"{POSTGATE}#disableRule"}]
        record = {"$type": POSTGATE, "post": uri, "embeddingRules": rules, "createdAt": created_at}
        gates.append(_written(POSTGATE, rkey, record))
    return gates


def _written(collection: str, rkey: str, record: dict[str, Any]) -> Write:
    return Write(collection, rkey, record, cid_of(record))


def _reference(did: str, write: Write) -> dict[str, str]:
    return {"uri": f"at://{did}/{write.collection}/{write.rkey}", "cid": write.cid}


def _ratio(media: Media) -> dict[str, int]:
    return {"width": max(media.width, 1), "height": max(media.height, 1)}
