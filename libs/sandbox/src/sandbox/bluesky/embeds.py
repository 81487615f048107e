"""What a post can hold besides its text, as the imitated data server understands it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

IMAGES = "app.bsky.embed.images"
GALLERY = "app.bsky.embed.gallery"
VIDEO = "app.bsky.embed.video"
EXTERNAL = "app.bsky.embed.external"
RECORD = "app.bsky.embed.record"
RECORD_WITH_MEDIA = "app.bsky.embed.recordWithMedia"
_ANY_IMAGE = ("image/*",)


@dataclass(frozen=True)
class NamedFile:
    """A reference to a blob, and what its place takes."""

    reference: dict[str, Any]
    accepted: tuple[str, ...]
    bytes_max: int
    alt_text: str = ""


def named_files(embed: dict[str, Any]) -> Iterator[NamedFile]:
    match embed.get("$type"):
        case "app.bsky.embed.images":
            for image in embed["images"]:
                yield NamedFile(image["image"], _ANY_IMAGE, 2_000_000, image["alt"])
        case "app.bsky.embed.gallery":
            for item in embed["items"]:
                yield NamedFile(item["image"], _ANY_IMAGE, 2_000_000, item["alt"])
        case "app.bsky.embed.video":
            yield NamedFile(embed["video"], ("video/mp4",), 300_000_000, embed.get("alt", ""))
        case "app.bsky.embed.external" if "thumb" in embed["external"]:
            yield NamedFile(embed["external"]["thumb"], _ANY_IMAGE, 1_000_000)
        case "app.bsky.embed.recordWithMedia":
            yield from named_files(embed["media"])


def embed_problems(embed: dict[str, Any]) -> Iterator[str]:
    """Why the server would not take it; nothing is wrong with no embed."""
    problems = _PROBLEMS.get(str(embed.get("$type")))
    if problems is not None:
        yield from problems(embed)
    elif embed:
        yield "Record/embed is of an unknown type"


def _images(embed: dict[str, Any]) -> Iterator[str]:
    yield from _image_problems(embed.get("images"), "images", most=4)


def _gallery(embed: dict[str, Any]) -> Iterator[str]:
    items = embed.get("items")
    yield from _image_problems(items, "items", most=20)
    if any(item.get("$type") != f"{GALLERY}#image" or "aspectRatio" not in item for item in items or []):
        yield "Record/embed/items must be images with an aspectRatio"


def _video(embed: dict[str, Any]) -> Iterator[str]:
    if not isinstance(embed.get("video"), dict):
        yield "Record/embed/video must be a blob"


def _external(embed: dict[str, Any]) -> Iterator[str]:
    card = embed.get("external") or {}
    if any(not isinstance(card.get(name), str) for name in ("uri", "title", "description")):
        yield "Record/embed/external must have the properties uri, title and description"


def _record(embed: dict[str, Any]) -> Iterator[str]:
    if not _is_reference(embed.get("record")):
        yield "Record/embed/record must have the properties uri and cid"


def _pair_problems(embed: dict[str, Any]) -> Iterator[str]:
    media = embed.get("media") or {}
    if media.get("$type") not in (IMAGES, GALLERY, VIDEO, EXTERNAL):
        yield "Record/embed/media is of an unknown type"
    yield from embed_problems(media)
    yield from embed_problems({"$type": RECORD} | (embed.get("record") or {}))


def _image_problems(images: Any, name: str, *, most: int) -> Iterator[str]:
    if not isinstance(images, list):
        yield f"Record/embed must have the property {name}"
        return
    if len(images) > most:
        yield f"Record/embed/{name} must not have more than {most} elements"
    if any(not isinstance(image.get("alt"), str) for image in images):
        yield f"Record/embed/{name}/alt must be a string"


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(part), str) for part in ("uri", "cid"))


_PROBLEMS: Mapping[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    IMAGES: _images,
    GALLERY: _gallery,
    VIDEO: _video,
    EXTERNAL: _external,
    RECORD: _record,
    RECORD_WITH_MEDIA: _pair_problems,
}
