"""What follows when a post's media are there: processing, the post itself, and the events that tell of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.tiktok.platform_state import NAME, TikTokState
from sandbox.tiktok.state import Grant, Publication
from sandbox.truth import Post, PostedMedia


def beginnings(state: TikTokState, grant: Grant, post_info: dict[str, Any], *, prefix: str) -> dict[str, Any]:
    """What every publication starts with, its planned outcome included."""
    outcome = state.planned_outcomes.pop(0) if state.planned_outcomes else {}
    return {
        "publish_id": f"{prefix}~v2-1.{secrets.randbelow(10**19):019d}",
        "post_id": str(7_600_000_000_000_000_000 + secrets.randbelow(10**17)),
        "open_id": grant.open_id,
        "client_key": grant.client_key,
        "post_info": post_info,
        "started_at": state.clock.now(),
        "fail_reason": str(outcome["fail_reason"]) if outcome.get("fail_reason") else None,
        "id_never_told": bool(outcome.get("id_never_told")),
    }


def publish(
    state: TikTokState,
    publication: Publication,
    *,
    text_field: str,
    media: tuple[PostedMedia, ...],
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Start processing. The post exists from the end of it on, without any further call.

    `text_field` names what the post says among its `post_info`; the rest, and `settings`, are its choices.
    """
    if publication.fail_reason:
        fail(state, publication, publication.fail_reason)
        return
    choices = {name: value for name, value in publication.post_info.items() if name != text_field}
    done_at = publication.done_at = state.clock.now() + timedelta(seconds=state.tuning.processing_seconds)
    state.truth.add(
        Post(
            platform=NAME,
            account_id=publication.open_id,
            post_id=publication.post_id,
            text=str(publication.post_info.get(text_field, "")),
            media=media,
            settings={**choices, **(settings or {})},
            posted_at=done_at,
        )
    )
    _tell(state, publication, "post.publish.complete", at_seconds=0)
    if publication.is_public() and not publication.id_never_told:
        seconds = state.tuning.moderation_seconds
        _tell(state, publication, "post.publish.publicly_available", at_seconds=seconds, post_id=publication.post_id)


def fail(state: TikTokState, publication: Publication, reason: str) -> None:
    publication.fail_reason = reason
    publication.done_at = state.clock.now() + timedelta(seconds=state.tuning.processing_seconds)
    _tell(state, publication, "post.publish.failed", at_seconds=0, reason=reason)


def is_told(state: TikTokState, publication: Publication) -> bool:
    """True once moderation is over and the post is public: only then its id is shown anywhere."""
    if publication.done_at is None or publication.fail_reason or publication.id_never_told:
        return False
    waited = (state.clock.now() - publication.done_at).total_seconds()
    return publication.is_public() and waited >= state.tuning.moderation_seconds


def _tell(state: TikTokState, publication: Publication, event: str, *, at_seconds: float, **more: str) -> None:
    assert publication.done_at is not None
    content = {"publish_id": publication.publish_id, "publish_type": "DIRECT_PUBLISH", **more}
    at = publication.done_at + timedelta(seconds=at_seconds)
    state.webhooks.send(state.clients[publication.client_key], event, publication.open_id, content, at=at)
