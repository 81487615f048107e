"""The imitated pins: made, refused, shown, deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litestar import MediaType, Response, Router, delete, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.pinterest.answers import AnyRequest, ApiError, body_of, document, invalid, page_of, without_zone
from sandbox.pinterest.media import files_of
from sandbox.pinterest.state import NAME, Grant, Pin, PinterestState
from sandbox.shown import permalink

TEXTS = {"title": 100, "description": 800, "alt_text": 500, "link": 2048}
FIELDS = {*TEXTS, "board_id", "board_section_id", "dominant_color", "media_source", "parent_pin_id", "note"}
TRIAL = (
    "Apps with Trial access may not create Pins in production https://api.pinterest.com"
    " - use API Sandbox https://api-sandbox.pinterest.com instead."
)


def create_router(state: PinterestState) -> Router:
    return Router("/v5", route_handlers=[*_all(state), *_one(state)])


def create_permalinks(state: PinterestState) -> Router:
    """The page of one pin."""

    @get("/{pin_id:str}", sync_to_thread=False, media_type=MediaType.HTML)
    def show(request: AnyRequest) -> Response[str]:
        pin_id = str(request.path_params["pin_id"])
        pin = state.pins.get(pin_id)
        return permalink(state.truth, NAME, pin_id, author=pin.owner if pin else "")

    return Router("/pin", route_handlers=[show])


def _all(state: PinterestState) -> list[HTTPRouteHandler]:
    @post("/pins", status_code=201)
    async def create(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:write", "write")
        if state.clients[grant.client_id].access == "trial":
            raise ApiError(403, 29, TRIAL)
        fields = await body_of(request)
        _check(state, grant, fields)
        media_type, files = await files_of(state, grant, fields.get("media_source"), alt=fields.get("alt_text") or "")
        return document(document_of(state, state.add_pin(grant, fields, media_type, files)), 201)

    @get("/pins", sync_to_thread=False)
    def listed(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:read", "read")
        return page_of(request, [document_of(state, pin) for pin in state.listed(grant.username)])

    return [create, listed]


def _one(state: PinterestState) -> list[HTTPRouteHandler]:
    @get("/pins/{pin_id:str}", sync_to_thread=False)
    def pin(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:read", "read")
        return document(document_of(state, state.pin_of(grant, str(request.path_params["pin_id"]))))

    @delete("/pins/{pin_id:str}", status_code=204, sync_to_thread=False)
    def remove(request: AnyRequest) -> None:
        grant = state.authenticate(request, "pins:write", "write")
        gone = state.pin_of(grant, str(request.path_params["pin_id"]))
        gone.post.removed = True
        del state.pins[gone.pin_id]

    return [pin, remove]


def _check(state: PinterestState, grant: Grant, fields: Mapping[str, Any]) -> None:
    for name in fields.keys() - FIELDS:
        raise invalid(f"Invalid request: {name!r} is not a known property")
    for name, maximum in TEXTS.items():
        value = fields.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > maximum):
            raise invalid(f"Invalid request: {name!r} is too long")
    board_id = str(fields.get("board_id"))
    if not re.fullmatch(r"\d+", board_id):
        raise invalid(f"Invalid request: {board_id!r} does not match '^\\d+$'")
    board = state.board_of(grant, board_id)
    section = fields.get("board_section_id")
    if section is not None and section not in board.sections:
        raise ApiError(404, 2031, "Board section not found.")


def document_of(state: PinterestState, pin: Pin) -> dict[str, Any]:
    fields = pin.fields
    return {
        "id": pin.pin_id,
        "created_at": without_zone(pin.created_at),
        "link": fields.get("link"),
        "title": fields.get("title"),
        "description": fields.get("description"),
        "alt_text": fields.get("alt_text"),
        "dominant_color": fields.get("dominant_color") or "#6E7874",
        "creative_type": {"video": "VIDEO", "multiple_images": "CAROUSEL"}.get(pin.media_type, "REGULAR"),
        "board_id": pin.board_id,
        "board_section_id": fields.get("board_section_id"),
        "board_owner": {"username": pin.owner},
        "is_owner": True,
        "is_standard": True,
        "has_been_promoted": False,
        "parent_pin_id": None,
        "pin_metrics": None,
        "media": _media(state, pin),
    }


def _media(state: PinterestState, pin: Pin) -> dict[str, Any]:
    sizes = {"150x150": (150, 150), "400x300": (400, 300), "600x": (600, 450), "1200x": (1200, 900)}
    images = {
        name: {"width": width, "height": height, "url": f"{state.base_url}/images/{name}/{pin.pin_id}.jpg"}
        for name, (width, height) in sizes.items()
    }
    match pin.media_type:
        case "video":
            cover = f"{state.base_url}/images/{pin.pin_id}.jpg"
            more = {"cover_image_url": cover, "video_url": None, "duration": 12_000, "width": 1080, "height": 1920}
            return {"media_type": "video", "images": images, **more}
        case "multiple_images":
            items = pin.fields["media_source"]["items"]
            return {"media_type": "multiple_images", "items": [_slide(item, images) for item in items]}
        case _:
            return {"media_type": "image", "images": images}


def _slide(item: Mapping[str, Any], images: Mapping[str, Any]) -> dict[str, Any]:
    told = {"title": item.get("title"), "description": item.get("description"), "link": item.get("link")}
    return {"item_type": "image", "images": images, **told}
