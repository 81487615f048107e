"""The one request that makes a post visible. The same delivery always makes the same request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from platforms.linkedin.limits import POLL_MINUTES
from platforms.linkedin.settings import LinkedInSettings
from platforms.linkedin.text import little_text
from platforms.shape import Delivery, Media, MediaKind


def body_of(author: str, delivery: Delivery, settings: LinkedInSettings, urns: Sequence[str]) -> dict[str, Any]:
    """The post of an author with files that LinkedIn has already."""
    body: dict[str, Any] = {
        "author": author,
        "commentary": little_text(delivery.text, settings.mentions),
        "visibility": settings.visibility,
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": settings.reshare_disabled,
    }
    content = _content(delivery.media, settings, urns)
    return body | ({"content": content} if content else {})


def _content(media: Sequence[Media], settings: LinkedInSettings, urns: Sequence[str]) -> dict[str, Any] | None:
    if settings.poll:
        duration = POLL_MINUTES[settings.poll.minutes]
        options = [{"text": option} for option in settings.poll.options]
        return {"poll": {"question": settings.poll_question, "options": options, "settings": {"duration": duration}}}
    if settings.link:
        told = {"title": settings.link_title, "description": settings.link_description}
        article = {"source": settings.link} | {name: value for name, value in told.items() if value}
        return {"article": article | ({"thumbnail": urns[0]} if urns else {})}
    if not media:
        return None
    images = [_image(item, urn) for item, urn in zip(media, urns, strict=True)]
    if len(images) > 1:
        return {"multiImage": {"images": images}}
    if media[0].kind is MediaKind.IMAGE:
        return {"media": images[0]}
    return {"media": {"id": urns[0]} | ({"title": settings.title} if settings.title else {})}


def _image(image: Media, urn: str) -> dict[str, Any]:
    return {"id": urn} | ({"altText": image.alt_text} if image.alt_text else {})
