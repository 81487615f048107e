"""What the imitated data server accepts as a post: the record's lexicon, its key, its blobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import regex

from sandbox.bluesky.answers import XrpcError
from sandbox.bluesky.state import POST, Blob, BlueskyState

_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)")
_LIMITS = {"app.bsky.embed.images": 2_000_000, "app.bsky.embed.video": 300_000_000}


def check(state: BlueskyState, did: str, *, collection: str, rkey: str, record: Any) -> list[Blob]:
    """Raise what the server would answer; returns the blobs the record names."""
    if not isinstance(record, dict) or record.get("$type") != collection:
        raise _invalid(collection, "$type must be the collection")
    if collection != POST:
        return []
    if not _TID.fullmatch(rkey):
        raise XrpcError(400, "InvalidRequest", f"Invalid record key for {collection}: not a TID")
    for problem in _problems(record):
        raise _invalid(collection, problem)
    return [_stored(state, did, reference, limit) for reference, limit in blob_references(record)]


def blob_references(record: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """The record's blobs, each with the size its place allows in bytes."""
    embed = record.get("embed") or {}
    limit = _LIMITS.get(str(embed.get("$type")), 0)
    for image in embed.get("images") or []:
        yield image["image"], limit
    if "video" in embed:
        yield embed["video"], limit


def _problems(record: dict[str, Any]) -> Iterator[str]:
    text = record.get("text")
    if not isinstance(text, str):
        yield "Record/text must be a string"
        return
    if len(text.encode()) > 3000:
        yield "Record/text must not be longer than 3000 characters"
    if len(regex.findall(r"\X", text)) > 300:
        yield "Record/text must not be longer than 300 graphemes"
    if not _TIME.fullmatch(str(record.get("createdAt", ""))):
        yield "Record/createdAt must be an valid atproto datetime"
    if len(record.get("langs") or []) > 3:
        yield "Record/langs must not have more than 3 elements"
    yield from _facet_problems(record.get("facets") or [], len(text.encode()))
    yield from _embed_problems(record.get("embed") or {})


def _facet_problems(facets: list[Any], size: int) -> Iterator[str]:
    end = 0
    for facet in facets:
        index = facet["index"]
        if not end <= index["byteStart"] < index["byteEnd"] <= size:
            yield "Record/facets must lie within the text and not overlap"
        end = index["byteEnd"]


def _embed_problems(embed: dict[str, Any]) -> Iterator[str]:
    if not embed:
        return
    if embed.get("$type") not in _LIMITS:
        yield "Record/embed is of an unknown type"
    images = embed.get("images") or []
    if len(images) > 4:
        yield "Record/embed/images must not have more than 4 elements"
    if any(not isinstance(image.get("alt"), str) for image in images):
        yield "Record/embed/images/alt must be a string"


def _stored(state: BlueskyState, did: str, reference: dict[str, Any], limit: int) -> Blob:
    link = str((reference.get("ref") or {}).get("$link"))
    blob = state.blob_of(did, link)
    if blob is None:
        raise XrpcError(400, "BlobNotFound", f"Could not find blob: {link}")
    if reference.get("mimeType") != blob.content_type:
        raise XrpcError(400, "InvalidMimeType", "Referenced Mimetype does not match stored blob")
    if reference.get("size") != blob.size_bytes or blob.size_bytes > limit:
        raise XrpcError(400, "InvalidSize", "Referenced Size does not match stored blob")
    return blob


def _invalid(collection: str, problem: str) -> XrpcError:
    return XrpcError(400, "InvalidRequest", f"Invalid {collection} record: {problem}")
