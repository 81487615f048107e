"""The imitated comments, and the imitated counts, which grow with a post's age."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import audience, share_of
from sandbox.linkedin.answers import AnyRequest, ApiError, body_of, denied, document, invalid, names_in
from sandbox.linkedin.posts import find
from sandbox.linkedin.state import LinkedInState, Shown

COMMENT_MAX = 1250
MEMBER_METRICS = ("IMPRESSION", "MEMBERS_REACHED", "RESHARE", "REACTION", "COMMENT")
UNION = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"

Told = Callable[[Shown, dict[str, Any]], None]


def create_router(state: LinkedInState, tell: Told) -> Router:
    return Router("/rest", route_handlers=[*_comments(state, tell), _statistics(state), _analytics(state)])


def _comments(state: LinkedInState, tell: Told) -> list[HTTPRouteHandler]:
    @post("/socialActions/{urn:str}/comments", status_code=201)
    async def comment(request: AnyRequest) -> Response[bytes]:
        grant, body = state.admit(request), await body_of(request)
        known = find(state, str(request.path_params["urn"]))
        text = body.get("message", {}).get("text")
        if not isinstance(text, str) or not 0 < len(text) <= COMMENT_MAX:
            raise invalid("FIELD_LENGTH_TOO_LONG", "A comment has 1 to 1250 characters")
        state.act_as(grant, body.get("actor"), "partnerApiSocialActions.CREATE")
        number = str(state.new_number())
        made = {
            "id": number,
            "actor": body["actor"],
            "message": {"text": text},
            "object": known.urn,
            "commentUrn": f"urn:li:comment:({known.urn},{number})",
        }
        known.comments.append(made)
        known.post.settings = {**known.post.settings, "comments": [each["message"]["text"] for each in known.comments]}
        tell(known, made)
        return document(made, 201, {"x-restli-id": number})

    @get("/socialActions/{urn:str}/comments", sync_to_thread=False)
    def listed(request: AnyRequest) -> Response[bytes]:
        grant, known = state.admit(request), find(state, str(request.path_params["urn"]))
        state.read_as(grant, known.author, "partnerApiSocialActions.GET_ALL")
        return document({"elements": known.comments, "paging": {"start": 0, "count": 10, "links": []}})

    return [comment, listed]


def _statistics(state: LinkedInState) -> HTTPRouteHandler:
    @get("/organizationalEntityShareStatistics", sync_to_thread=False)
    def statistics(request: AnyRequest) -> Response[bytes]:
        grant, query = state.admit(request), request.query_params
        author = query.get("organizationalEntity", "")
        role = state.people[grant.person].roles.get(author.removeprefix("urn:li:organization:"))
        if "rw_organization_admin" not in grant.scopes or role != "ADMINISTRATOR":
            raise denied("organizationalEntityShareStatistics.FINDER-organizationalEntity")
        elements = []
        for name, field in (("shares", "share"), ("ugcPosts", "ugcPost")):
            for urn in names_in(query[name]) if name in query else []:
                known = state.posts.get(urn)
                if known is None or known.author != author or f":{field}:" not in urn:
                    raise invalid("INVALID_URN_ID", "A post is not the organization's")
                totals = _totals(state, known)
                if totals["impressionCount"]:
                    elements.append({"organizationalEntity": author, field: urn, "totalShareStatistics": totals})
        return document({"elements": elements, "paging": {"start": 0, "count": 10, "links": []}})

    return statistics


def _analytics(state: LinkedInState) -> HTTPRouteHandler:
    @get("/memberCreatorPostAnalytics", sync_to_thread=False)
    def of_member(request: AnyRequest) -> Response[bytes]:
        grant, query = state.admit(request), request.query_params
        if "r_member_postAnalytics" not in grant.scopes:
            raise denied("memberCreatorPostAnalytics.FINDER-entity")
        metric = query.get("queryType")
        entity = re.fullmatch(r"\((share|ugc):(urn:li:(?:share|ugcPost):\d+)\)", query.get("entity", ""))
        if query.get("q") != "entity" or metric not in MEMBER_METRICS or entity is None:
            raise ApiError(400, "ILLEGAL_ARGUMENT", "The query has another form")
        known = find(state, entity[2])
        if known.author != grant.person:
            raise denied("memberCreatorPostAnalytics.FINDER-entity")
        count = _of_member(_totals(state, known))[metric]
        target = {"share" if entity[1] == "share" else "ugc": known.urn}
        return document({"elements": [{"count": count, "metricType": {UNION: metric}, "targetEntity": target}]})

    return of_member


def _of_member(totals: dict[str, Any]) -> dict[str, int]:
    names = ("impressionCount", "uniqueImpressionsCount", "shareCount", "likeCount", "commentCount")
    return dict(zip(MEMBER_METRICS, (totals[name] for name in names), strict=True))


def _totals(state: LinkedInState, known: Shown) -> dict[str, Any]:
    reached = audience(known.urn, posted_at=known.created_at, now=state.clock.now())
    counted = {
        "clickCount": share_of(reached, known.urn, "clicks", permille=60),
        "likeCount": share_of(reached, known.urn, "likes", permille=40),
        "commentCount": share_of(reached, known.urn, "comments", permille=8) + len(known.comments),
        "shareCount": share_of(reached, known.urn, "shares", permille=5),
    }
    seen = reached + reached // 4
    engagement = sum(counted.values()) / seen if seen else 0.0
    return {"impressionCount": seen, "uniqueImpressionsCount": reached, "engagement": engagement} | counted
