"""What the imitated data server accepts as a record: its lexicon, its key, its blobs."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import regex

from sandbox.bluesky.answers import XrpcError
from sandbox.bluesky.embeds import embed_problems, named_files
from sandbox.bluesky.state import POST, POSTGATE, THREADGATE, Blob, BlueskyState

_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)")
_RULES = {
    f"{THREADGATE}#mentionRule",
    f"{THREADGATE}#followerRule",
    f"{THREADGATE}#followingRule",
    f"{THREADGATE}#listRule",
}

Problems = Iterator[str]


@dataclass(frozen=True)
class Shown:
    """A file that a record shows, and how it describes it."""

    blob: Blob
    alt_text: str


def check(state: BlueskyState, did: str, *, collection: str, rkey: str, record: Any) -> list[Shown]:
    """Raise what the server would answer; returns the files the record names."""
    if not isinstance(record, dict) or record.get("$type") != collection:
        raise _invalid(collection, "$type must be the collection")
    problems = _LEXICONS.get(collection)
    if problems is None:
        return []
    if not _TID.fullmatch(rkey):
        raise XrpcError(400, "InvalidRequest", f"Invalid record key for {collection}: not a TID")
    for problem in problems(record):
        raise _invalid(collection, problem)
    if collection != POST and record["post"] != f"at://{did}/{POST}/{rkey}":
        raise _invalid(collection, "Record/post must be the post of the same repository and key")
    files = list(named_files(record.get("embed") or {})) if collection == POST else []
    for file in files:
        if not any(fnmatch.fnmatchcase(str(file.reference.get("mimeType")), kind) for kind in file.accepted):
            raise _invalid(collection, f'Expected "{file.accepted[0]}" (got "{file.reference.get("mimeType")}")')
    return [Shown(_stored(state, did, file.reference, file.bytes_max), file.alt_text) for file in files]


def _post_problems(record: dict[str, Any]) -> Problems:
    text = record.get("text")
    if not isinstance(text, str):
        yield "Record/text must be a string"
        return
    if len(text.encode()) > 3000:
        yield "Record/text must not be longer than 3000 characters"
    if len(regex.findall(r"\X", text)) > 300:
        yield "Record/text must not be longer than 300 graphemes"
    if len(record.get("langs") or []) > 3:
        yield "Record/langs must not have more than 3 elements"
    tags = record.get("tags") or []
    if len(tags) > 8 or any(len(tag.encode()) > 640 or len(regex.findall(r"\X", tag)) > 64 for tag in tags):
        yield "Record/tags must not have more than 8 elements of 64 graphemes"
    yield from _time_problems(record)
    yield from _reply_problems(record)
    yield from _facet_problems(record.get("facets") or [], len(text.encode()))
    yield from embed_problems(record.get("embed") or {})


def _gate_problems(record: dict[str, Any]) -> Problems:
    yield from _time_problems(record)
    if not isinstance(record.get("post"), str):
        yield 'Record must have the property "post"'
    rules = [rule.get("$type") for rule in [*record.get("allow", []), *record.get("embeddingRules", [])]]
    if len(rules) > 5 or not set(rules) <= _RULES | {f"{POSTGATE}#disableRule"}:
        yield "Record has a rule that is not known"


def _time_problems(record: dict[str, Any]) -> Problems:
    if not _TIME.fullmatch(str(record.get("createdAt", ""))):
        yield "Record/createdAt must be an valid atproto datetime"


def _reply_problems(record: dict[str, Any]) -> Problems:
    reply = record.get("reply")
    if reply is not None and any(not _is_reference(reply.get(name)) for name in ("root", "parent")):
        yield "Record/reply must have the properties root and parent, each with uri and cid"


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("uri", "cid"))


def _facet_problems(facets: list[Any], size: int) -> Problems:
    end = 0
    for facet in facets:
        index = facet["index"]
        if not end <= index["byteStart"] < index["byteEnd"] <= size:
            yield "Record/facets must lie within the text and not overlap"
        end = index["byteEnd"]


def _stored(state: BlueskyState, did: str, reference: dict[str, Any], bytes_max: int) -> Blob:
    link = str((reference.get("ref") or {}).get("$link"))
    blob = state.blob_of(did, link)
    if blob is None:
        raise XrpcError(400, "BlobNotFound", f"Could not find blob: {link}")
    if reference.get("mimeType") != blob.content_type:
        raise XrpcError(400, "InvalidMimeType", "Referenced Mimetype does not match stored blob")
    if reference.get("size") != blob.size_bytes or blob.size_bytes > bytes_max:
        raise XrpcError(400, "InvalidSize", "Referenced Size does not match stored blob")
    return blob


def _invalid(collection: str, problem: str) -> XrpcError:
    return XrpcError(400, "InvalidRequest", f"Invalid {collection} record: {problem}")


_LEXICONS: Mapping[str, Callable[[dict[str, Any]], Problems]] = {
    POST: _post_problems,
    THREADGATE: _gate_problems,
    POSTGATE: _gate_problems,
}
"""Of any other collection the server knows nothing and takes everything."""
