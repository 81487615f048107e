"""A post's way to Bluesky: files first, then one write under keys of our own.

Keys and records are fixed when the post is staged, those of a thread's further posts and of the gates too: a reply
names the post above it by the identifier of its content, which is computed here. So all of them are written at once,
and nobody ever sees half a thread. Writing is create-only: repeating it can neither post twice nor overwrite anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.errors import xrpc_error
from platforms.bluesky.identity import Directory
from platforms.bluesky.posts import (
    POST,
    Materials,
    Write,
    is_moving,
    parts_of,
    settings_of,
    timestamp,
    writes_of,
)
from platforms.bluesky.quoting import find_quoted
from platforms.bluesky.rules import check
from platforms.bluesky.servers import Servers
from platforms.bluesky.text import Mark, find_spans
from platforms.bluesky.tid import tid_for
from platforms.bluesky.video import Videos
from platforms.bluesky.xrpc import Repository
from platforms.errors import Rejected, Transient
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Media,
    Outcome,
    Published,
    Receipt,
    Refused,
    Undecided,
)
from platforms.wire import Answer


class Posting:
    """The publishing half of the Bluesky client."""

    def __init__(self, endpoints: BlueskyEndpoints, directory: Directory, servers: Servers) -> None:
        self._endpoints = endpoints
        self._directory = directory
        self._servers = servers
        self._videos = Videos(endpoints.video, servers)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Upload the files and fix the records. What the journal has is not done again."""
        broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
        if broken:
            raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
        blobs = await self._bring(call, delivery, journal)
        if not journal.facts.get("writes"):
            materials = Materials(blobs, await self._facets(call, delivery), await self._quoted(call, delivery))
            writes = writes_of(call.grant.account_id, delivery, materials)
            await journal.record(writes=[asdict(write) for write in writes])

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Write the records, only if nothing is under their keys yet."""
        writes = _fixed(journal)
        if not writes:
            raise Transient("not_staged", "the records are not fixed yet; stage again")
        answer = await self._write(call, writes)
        if answer.status == 200 and ("uri" in answer.json() or "results" in answer.json()):
            return Published(self._receipt(call, writes[0].rkey, {"cid": writes[0].cid}, journal))
        match answer.json().get("error"):
            case "InvalidSwap":
                return await self._already_there(call, delivery, journal)
            case "BlobNotFound":
                # The server drops files that no record names for an hour. The next staging sends them again, and makes
                # the records anew, because a video that is processed again is another file.
                await journal.record(blobs={}, videos={}, writes=[])
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
        """Look for our key on the account's own server, whose answer is authoritative at once.

        What is written together is there together, so the first post stands for all.
        """
        rkey = tid_for(delivery.planned_at, delivery.publication_id)
        query = {"repo": call.grant.account_id, "collection": POST, "rkey": rkey}
        answer = await self._repository(call).read("com.atproto.repo.getRecord", query)
        document = answer.json()
        if answer.status == 400 and document.get("error") == "RecordNotFound":
            return Absent({"rkey": rkey, "answer": "RecordNotFound"})
        if answer.status != 200 or not isinstance(document.get("value"), dict):
            raise xrpc_error(answer, now=call.clock.now())
        evidence = {"rkey": rkey, "cid": document.get("cid")}
        if _is_ours(document["value"], delivery):
            return Published(self._receipt(call, rkey, evidence, journal))
        return Undecided(evidence | {"reason": "another post is under this key"})

    async def _write(self, call: Call, writes: list[Write]) -> Answer:
        """One record has a call that says whether its key is taken; several have one that takes all or none."""
        first, repo = writes[0], call.grant.account_id
        if len(writes) == 1:
            body = {"repo": repo, "collection": first.collection, "rkey": first.rkey, "record": first.record}
            create_only = body | {"swapRecord": None}
            return await self._repository(call).post("com.atproto.repo.putRecord", create_only, visible=True)
        create = {"$type": "com.atproto.repo.applyWrites#create"}
        changes = [create | {"collection": w.collection, "rkey": w.rkey, "value": w.record} for w in writes]
        together = {"repo": repo, "writes": changes}
        return await self._repository(call).post("com.atproto.repo.applyWrites", together, visible=True)

    async def _bring(self, call: Call, delivery: Delivery, journal: Journal) -> Mapping[str, Any]:
        """Images straight to the account's server; what moves by the video service, last because it takes longest."""
        blobs = dict(journal.facts.get("blobs") or {})
        for media in sorted(delivery.media, key=is_moving):
            if media.sha256 in blobs:
                continue
            blobs[media.sha256] = await self._blob(call, media, journal)
            await journal.record(blobs=dict(blobs))
        return blobs

    async def _blob(self, call: Call, media: Media, journal: Journal) -> dict[str, Any]:
        if is_moving(media):
            return await self._videos.bring(call, media, journal)
        answer = await self._repository(call).upload(media)
        blob = answer.json().get("blob")
        if answer.status != 200 or not isinstance(blob, dict):
            raise xrpc_error(answer, now=call.clock.now())
        return blob

    async def _facets(self, call: Call, delivery: Delivery) -> dict[int, list[dict[str, Any]]]:
        """Mark links, tags and mentions in each text; a mention of nobody stays plain text."""
        facets: dict[int, list[dict[str, Any]]] = {}
        for part in parts_of(delivery.text, delivery.media, settings_of(delivery.settings)):
            for span in find_spans(part.text):
                value: str | None = span.value
                if span.mark is Mark.MENTION:
                    value = await self._directory.resolve_handle(call.http, span.value)
                if value is not None:
                    facets.setdefault(part.index, []).append(span.to_facet(value))
        return facets

    async def _quoted(self, call: Call, delivery: Delivery) -> dict[str, str] | None:
        address = settings_of(delivery.settings).quote
        return await find_quoted(call, self._endpoints, self._directory, address) if address else None

    async def _already_there(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        finding = await self.reconcile(call, delivery, journal)
        match finding:
            case Published():
                return finding
            case Absent():
                raise Transient("InvalidSwap", "the record was removed while it was written")
            case _:
                return Refused("key_taken", "another post is under this post's key", "Schedule the post anew.")

    def _receipt(self, call: Call, rkey: str, evidence: Mapping[str, Any], journal: Journal) -> Receipt:
        """Names every record, so that all of them can be taken off again. The permalink holds the DID, because a handle
        can change."""
        did = call.grant.account_id
        written = {"records": [f"{write.collection}/{write.rkey}" for write in _fixed(journal)]}
        url = f"{self._endpoints.web}/profile/{did}/post/{rkey}"
        return Receipt(f"at://{did}/{POST}/{rkey}", url, dict(evidence) | written)

    def _repository(self, call: Call) -> Repository:
        return Repository(call, self._servers)


def _fixed(journal: Journal) -> list[Write]:
    return msgspec.convert(journal.facts.get("writes") or [], list[Write])


def _is_ours(value: Mapping[str, Any], delivery: Delivery) -> bool:
    """The time is part of the key's making and the text is what was approved; both must agree."""
    return value.get("createdAt") == timestamp(delivery.planned_at) and value.get("text") == delivery.text
