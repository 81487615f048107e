"""A post's way to Bluesky: files first, then one record under a key of our own.

The key and the whole record are fixed when the post is staged. Writing is create-only, so repeating the
identical call can neither post twice nor overwrite anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from platforms.bluesky.dpop import NonceBook
from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.errors import xrpc_error
from platforms.bluesky.identity import Directory
from platforms.bluesky.rules import check
from platforms.bluesky.settings import BlueskySettings
from platforms.bluesky.text import Mark, find_spans
from platforms.bluesky.tid import tid_for
from platforms.bluesky.xrpc import Repository
from platforms.errors import Rejected, Transient
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Media,
    MediaKind,
    Outcome,
    Published,
    Receipt,
    Refused,
    Undecided,
)

COLLECTION = "app.bsky.feed.post"


class Posting:
    """The publishing half of the Bluesky client."""

    def __init__(self, endpoints: BlueskyEndpoints, directory: Directory, nonces: NonceBook) -> None:
        self._web = endpoints.web
        self._directory = directory
        self._nonces = nonces

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Upload the files and fix the record. What the journal has is not done again."""
        broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
        if broken:
            raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
        blobs = await self._upload(call, delivery, journal)
        if "record" not in journal.facts:
            facets = await self._facets(call, delivery.text)
            record = build_record(delivery, blobs, facets)
            await journal.record(rkey=tid_for(delivery.planned_at, delivery.publication_id), record=record)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Write the record, only if nothing is under its key yet."""
        facts = journal.facts
        if "record" not in facts:
            raise Transient("not_staged", "the record is not fixed yet; stage again")
        body = {
            "repo": call.grant.account_id,
            "collection": COLLECTION,
            "rkey": facts["rkey"],
            "record": facts["record"],
            "swapRecord": None,
        }
        answer = await self._repository(call).post("com.atproto.repo.putRecord", body, visible=True)
        document = answer.json()
        if answer.status == 200 and "uri" in document:
            return Published(self._receipt(call, facts["rkey"], {"cid": document.get("cid")}))
        match document.get("error"):
            case "InvalidSwap":
                return await self._already_there(call, delivery, journal)
            case "BlobNotFound":
                # The server drops files that no record names for an hour; the next staging sends them again.
                await journal.record(blobs={})
        raise xrpc_error(answer, now=call.clock.now(), visible=True)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Bluesky knows no processing: a post is there or it was removed."""
        finding = await self.reconcile(call, delivery, journal)
        match finding:
            case Published():
                return finding
            case _:
                return Refused("RecordNotFound", "the post is no longer there", "Schedule it anew if it is wanted.")

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Look for our key on the account's own server, whose answer is authoritative at once."""
        rkey = journal.facts.get("rkey") or tid_for(delivery.planned_at, delivery.publication_id)
        query = {"repo": call.grant.account_id, "collection": COLLECTION, "rkey": rkey}
        answer = await self._repository(call).read("com.atproto.repo.getRecord", query)
        document = answer.json()
        if answer.status == 400 and document.get("error") == "RecordNotFound":
            return Absent({"rkey": rkey, "answer": "RecordNotFound"})
        if answer.status != 200 or not isinstance(document.get("value"), dict):
            raise xrpc_error(answer, now=call.clock.now())
        evidence = {"rkey": rkey, "cid": document.get("cid")}
        if _is_ours(document["value"], delivery):
            return Published(self._receipt(call, rkey, evidence))
        return Undecided(evidence | {"reason": "another post is under this key"})

    async def _upload(self, call: Call, delivery: Delivery, journal: Journal) -> Mapping[str, Any]:
        """Send each file the journal has no reference for, one after the other, noting every answer."""
        blobs: dict[str, Any] = dict(journal.facts.get("blobs") or {})
        for media in delivery.media:
            if media.sha256 in blobs:
                continue
            answer = await self._repository(call).upload(media)
            blob = answer.json().get("blob")
            if answer.status != 200 or not isinstance(blob, dict):
                raise xrpc_error(answer, now=call.clock.now())
            blobs[media.sha256] = blob
            await journal.record(blobs=dict(blobs))
        return blobs

    async def _facets(self, call: Call, text: str) -> list[dict[str, Any]]:
        """Mark links, tags and mentions; a mention of nobody stays plain text."""
        facets = []
        for span in find_spans(text):
            value: str | None = span.value
            if span.mark is Mark.MENTION:
                value = await self._directory.resolve_handle(call.http, span.value)
            if value is not None:
                facets.append(span.to_facet(value))
        return facets

    async def _already_there(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        finding = await self.reconcile(call, delivery, journal)
        match finding:
            case Published():
                return finding
            case Absent():
                raise Transient("InvalidSwap", "the record was removed while it was written")
            case _:
                return Refused("key_taken", "another post is under this post's key", "Schedule the post anew.")

    def _receipt(self, call: Call, rkey: str, evidence: Mapping[str, Any]) -> Receipt:
        """The permalink holds the DID, because a handle can change."""
        did = call.grant.account_id
        return Receipt(f"at://{did}/{COLLECTION}/{rkey}", f"{self._web}/profile/{did}/post/{rkey}", dict(evidence))

    def _repository(self, call: Call) -> Repository:
        return Repository(call, self._nonces)


def build_record(delivery: Delivery, blobs: Mapping[str, Any], facets: list[dict[str, Any]]) -> dict[str, Any]:
    """The complete `app.bsky.feed.post` record; the same delivery always makes the same record."""
    settings = msgspec.convert(dict(delivery.settings), BlueskySettings)
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": delivery.text,
        "createdAt": _timestamp(delivery.planned_at),
    }
    if settings.langs:
        record["langs"] = list(settings.langs)
    if settings.labels:
        values = [{"val": label} for label in settings.labels]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    if facets:
        record["facets"] = facets
    if delivery.media:
        record["embed"] = _embed(delivery.media, blobs)
    return record


def _embed(media: tuple[Media, ...], blobs: Mapping[str, Any]) -> dict[str, Any]:
    if media[0].kind is MediaKind.VIDEO:
        embed: dict[str, Any] = {"$type": "app.bsky.embed.video", "video": blobs[media[0].sha256]}
        embed["aspectRatio"] = _ratio(media[0])
        return embed | ({"alt": media[0].alt_text} if media[0].alt_text else {})
    images = [{"alt": image.alt_text, "image": blobs[image.sha256], "aspectRatio": _ratio(image)} for image in media]
    return {"$type": "app.bsky.embed.images", "images": images}


def _ratio(media: Media) -> dict[str, int]:
    return {"width": max(media.width, 1), "height": max(media.height, 1)}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_ours(value: Mapping[str, Any], delivery: Delivery) -> bool:
    """The time is part of the key's making and the text is what was approved; both must agree."""
    return value.get("createdAt") == _timestamp(delivery.planned_at) and value.get("text") == delivery.text
