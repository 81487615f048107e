"""A pin's way to Pinterest. Images travel with the pin itself, a video goes ahead; one call makes the pin visible.

Pinterest knows no idempotency key and takes the same pin twice, so what became of a call without an answer is looked
up in the board's list, by time and words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from platforms.errors import Rejected, Transient
from platforms.pinterest import limits
from platforms.pinterest.answers import Pin, Pins
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.body import PinBody, stand_in
from platforms.pinterest.endpoints import PinterestEndpoints
from platforms.pinterest.rules import check
from platforms.pinterest.settings import PinterestSettings, Slide
from platforms.pinterest.upload import bring_video
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


class Posting:
    """The publishing half of the Pinterest client."""

    def __init__(self, endpoints: PinterestEndpoints, api: PinterestApi) -> None:
        self._web = endpoints.web
        self._api = api

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """See that the board is there, and bring a video to where a pin can name it."""
        broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
        if broken:
            raise Rejected(broken[0].code, broken[0].detail, advice="Change the pin and have it approved again.")
        if "board_seen" not in journal.facts:
            board = _settings(delivery).board_id
            await self._api.get(call, f"/boards/{board}", dict)
            await journal.record(board_seen=board)
        if delivery.media[0].kind is MediaKind.VIDEO:
            await bring_video(self._api, call, delivery.media[0], journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        if "board_seen" not in journal.facts:
            raise Transient("not_staged", "nothing is prepared yet; stage again")
        body = await _body(delivery, journal.facts)
        # A repetition must look for the first attempt's pin too, and give the list its time from the last one on.
        now = call.clock.now().isoformat()
        await journal.record(attempted_at=journal.facts.get("attempted_at") or now, last_attempted_at=now)
        pin = await self._api.post_visible(call, "/pins", body.stream(), body.length, Pin)
        await journal.record(pin_id=pin.id)
        return Published(self._receipt(pin, {}))

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """A pin is there at once or it was removed; Pinterest knows no processing of pins."""
        finding = await self.reconcile(call, delivery, journal)
        if isinstance(finding, Published):
            return finding
        return Refused("404.50", "the pin is no longer there", "Schedule it anew if it is wanted.")

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """By its id if there was an answer; else the pins of its board since the attempt, by all their words."""
        if pin_id := journal.facts.get("pin_id"):
            return await self._by_id(call, str(pin_id))
        attempted_at = datetime.fromisoformat(journal.facts.get("attempted_at") or delivery.planned_at.isoformat())
        found, complete = await self._listed(call, delivery, since=attempted_at)
        evidence = {"board_id": _settings(delivery).board_id, "since": attempted_at.isoformat(), "looked": complete}
        if len(found) == 1:
            return Published(self._receipt(found[0], evidence))
        if found:
            # An approved pin may be scheduled twice for one board; which of them is ours nobody can tell.
            return Undecided(evidence | {"pins": [pin.id for pin in found]})
        if not complete:
            return Undecided(evidence | {"reason": "the list is too long"})
        last = datetime.fromisoformat(journal.facts.get("last_attempted_at") or attempted_at.isoformat())
        if call.clock.now() - last < timedelta(seconds=limits.LISTING_SETTLED_SECONDS):
            raise Transient("not_listed_yet", "the pin is not in its board's list, which may be behind")
        return Absent(evidence)

    async def _by_id(self, call: Call, pin_id: str) -> Finding:
        try:
            pin = await self._api.get(call, f"/pins/{pin_id}", Pin)
        except Rejected as error:
            if error.code.startswith("404"):
                return Absent({"pin_id": pin_id, "answer": error.code})
            raise
        return Published(self._receipt(pin, {}))

    async def _listed(self, call: Call, delivery: Delivery, *, since: datetime) -> tuple[list[Pin], bool]:
        """The board's pins that say what ours says; False if the list goes on beyond what is looked at."""
        oldest = since - timedelta(seconds=limits.LISTING_BEFORE_SECONDS)
        query: dict[str, Any] = {"page_size": limits.LISTING_PAGE}
        found: list[Pin] = []
        for _ in range(limits.LISTING_PAGES_MAX):
            page = await self._api.get(call, f"/boards/{_settings(delivery).board_id}/pins", Pins, query=query)
            recent = [pin for pin in page.items if pin.time is None or pin.time >= oldest]
            found += [pin for pin in recent if _says_the_same(pin, delivery)]
            # Newest first, as far as is known: a page without a recent pin is followed by older ones.
            if page.bookmark is None or not recent:
                return found, True
            query["bookmark"] = page.bookmark
        return found, False

    def _receipt(self, pin: Pin, evidence: Mapping[str, Any]) -> Receipt:
        return Receipt(pin.id, f"{self._web}/pin/{pin.id}/", {"created_at": pin.created_at, **evidence})


async def _body(delivery: Delivery, facts: Mapping[str, Any]) -> PinBody:
    settings = _settings(delivery)
    source, inline = await _media_source(delivery, settings, facts)
    document: dict[str, Any] = {"board_id": settings.board_id, "media_source": source}
    optional = {
        "board_section_id": settings.board_section_id,
        "title": settings.title or None,
        "description": delivery.text or None,
        "link": settings.link,
        "alt_text": delivery.media[0].alt_text or None,
    }
    return PinBody(document | {name: value for name, value in optional.items() if value is not None}, inline)


async def _media_source(
    delivery: Delivery, settings: PinterestSettings, facts: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Media]]:
    """What Pinterest calls the media source, and the images that travel inside the request."""
    media = delivery.media
    if media[0].kind is MediaKind.VIDEO:
        cover = {"cover_image_key_frame_time": settings.cover_second}
        return {"source_type": "video_id", "media_id": facts["media_id"], **cover}, []
    inline = all(image.size_bytes <= limits.INLINE_IMAGE_BYTES_MAX for image in media)
    items = [await _image(image, position, inline=inline) for position, image in enumerate(media)]
    if len(items) == 1:
        kind = "image_base64" if inline else "image_url"
        return {"source_type": kind, **items[0]}, list(media) if inline else []
    slides = settings.slides or tuple(Slide() for _ in items)
    items = [_texts(slide) | item for slide, item in zip(slides, items, strict=True)]
    kind = "multiple_image_base64" if inline else "multiple_image_urls"
    return {"source_type": kind, "items": items, "index": 0}, list(media) if inline else []


async def _image(image: Media, position: int, *, inline: bool) -> dict[str, Any]:
    if inline:
        return {"content_type": image.content_type, "data": stand_in(position)}
    assert image.source is not None
    return {"url": await image.source.address()}


def _texts(slide: Slide) -> dict[str, Any]:
    told = {"title": slide.title, "description": slide.description, "link": slide.link}
    return {name: value for name, value in told.items() if value}


def _settings(delivery: Delivery) -> PinterestSettings:
    return msgspec.convert(dict(delivery.settings), PinterestSettings)


def _says_the_same(pin: Pin, delivery: Delivery) -> bool:
    settings = _settings(delivery)
    told = (pin.title or "", (pin.description or "").strip(), pin.link or None, pin.alt_text or "")
    return told == (settings.title, delivery.text.strip(), settings.link, delivery.media[0].alt_text)
