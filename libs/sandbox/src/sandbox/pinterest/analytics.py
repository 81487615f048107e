"""The imitated counts, which grow with a pin's age."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from litestar import Response, Router, get

from sandbox.insights import audience, share_of
from sandbox.pinterest.answers import AnyRequest, ApiError, document
from sandbox.pinterest.state import Pin, PinterestState

METRICS = frozenset(
    {
        "IMPRESSION",
        "OUTBOUND_CLICK",
        "PIN_CLICK",
        "SAVE",
        "SAVE_RATE",
        "TOTAL_COMMENTS",
        "TOTAL_REACTIONS",
        "USER_FOLLOW",
        "PROFILE_VISIT",
        "VIDEO_MRC_VIEW",
        "VIDEO_10S_VIEW",
        "QUARTILE_95_PERCENT_VIEW",
        "VIDEO_V50_WATCH_TIME",
        "VIDEO_START",
        "VIDEO_AVG_WATCH_TIME",
    }
)
PINS_MAX = 100
DAYS_MAX = 90


def create_router(state: PinterestState) -> Router:
    @get("/pins/analytics", sync_to_thread=False)
    def many(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:read", "analytics")
        pin_ids = request.query_params.getall("pin_ids", [])
        if not 0 < len(pin_ids) <= PINS_MAX:
            raise ApiError(400, 400, f"Between 1 and {PINS_MAX} pins can be asked for.")
        wanted = _asked(state, request)
        own = [state.pins[pin_id] for pin_id in pin_ids if pin_id in state.pins]
        return document({pin.pin_id: _analytics(state, pin, wanted) for pin in own if pin.owner == grant.username})

    @get("/pins/{pin_id:str}/analytics", sync_to_thread=False)
    def one(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:read", "analytics")
        pin = state.pin_of(grant, str(request.path_params["pin_id"]))
        return document(_analytics(state, pin, _asked(state, request)))

    return Router("/v5", route_handlers=[many, one])


def _asked(state: PinterestState, request: AnyRequest) -> list[str]:
    query = request.query_params
    try:
        start, end = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
    except (KeyError, ValueError):
        raise ApiError(400, 400, "start_date and end_date are dates.") from None
    today = state.clock.now().date()
    if start > end or end - start > timedelta(days=DAYS_MAX) or today - start > timedelta(days=DAYS_MAX):
        raise ApiError(400, 400, "The dates are too far back or too far apart.")
    wanted = [name for value in query.getall("metric_types", []) for name in value.split(",")]
    if not wanted or not set(wanted) <= METRICS:
        raise ApiError(400, 400, "metric_types holds an unknown name.")
    return wanted


def _analytics(state: PinterestState, pin: Pin, wanted: list[str]) -> dict[str, Any]:
    reached = audience(pin.pin_id, posted_at=pin.post.posted_at, now=state.clock.now())
    counted = {
        "IMPRESSION": reached,
        "PIN_CLICK": share_of(reached, pin.pin_id, "clicks", permille=60),
        "OUTBOUND_CLICK": share_of(reached, pin.pin_id, "outbound", permille=20),
        "SAVE": share_of(reached, pin.pin_id, "saves", permille=40),
    }
    lifetime = {
        "TOTAL_COMMENTS": share_of(reached, pin.pin_id, "comments", permille=5),
        "TOTAL_REACTIONS": share_of(reached, pin.pin_id, "reactions", permille=30),
    }
    if pin.media_type == "video":
        counted["VIDEO_MRC_VIEW"] = share_of(reached, pin.pin_id, "views", permille=500)
    counted = {name: value for name, value in counted.items() if name in wanted}
    day = {"date": state.clock.now().date().isoformat(), "data_status": "READY", "metrics": counted}
    told = {"daily_metrics": [day], "summary_metrics": counted}
    return {"all": told | {"lifetime_metrics": {name: lifetime[name] for name in lifetime if name in wanted}}}
