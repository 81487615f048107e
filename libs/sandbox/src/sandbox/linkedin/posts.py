"""The imitated posts: checked, refused as duplicates, shown, read back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from litestar import MediaType, Response, Router, delete, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.linkedin.answers import AnyRequest, ApiError, body_of, document, gone, invalid, names_in, nothing
from sandbox.linkedin.checking import FINDER, check, files_of, refuse_duplicate
from sandbox.linkedin.littletext import shown as read
from sandbox.linkedin.state import NAME, LinkedInState, Shown
from sandbox.shown import permalink
from sandbox.truth import Post

NEVER = timedelta(days=100_000)


def create_router(state: LinkedInState) -> Router:
    return Router("/rest/posts", route_handlers=[*_all(state), *_one(state)])


def create_permalinks(state: LinkedInState) -> Router:
    """The page of one post."""

    @get("/{urn:str}", sync_to_thread=False, media_type=MediaType.HTML)
    def show(request: AnyRequest) -> Response[str]:
        urn = str(request.path_params["urn"])
        known = state.posts.get(urn)
        return permalink(state.truth, NAME, urn, author=known.author if known else "")

    return Router("/feed/update", route_handlers=[show])


def _all(state: LinkedInState) -> list[HTTPRouteHandler]:
    @post("/", status_code=201)
    async def create(request: AnyRequest) -> Response[bytes]:
        grant, body = state.admit(request), await body_of(request)
        check(body)
        state.act_as(grant, body["author"], "partnerApiPostsExternal.CREATE")
        files = files_of(state, body)
        refuse_duplicate(state, body)
        made = _make(state, body, files)
        return nothing(201, {"x-restli-id": made.urn})

    @get("/", sync_to_thread=False)
    def several(request: AnyRequest) -> Response[bytes]:
        grant, query = state.admit(request), request.query_params
        if "ids" in query:
            known = [state.posts.get(urn) for urn in names_in(query["ids"])]
            there = [each for each in known if each is not None and not each.removed]
            for each in there:
                state.read_as(grant, each.author, "partnerApiPostsExternal.BATCH_GET")
            return document({"results": {s.urn: told(state, s) for s in there}, "statuses": {}, "errors": {}})
        if query.get("q") != "author" or request.headers.get("x-restli-method") != FINDER:
            raise ApiError(400, "ILLEGAL_ARGUMENT", "There is no such finder")
        author = query.get("author", "")
        state.read_as(grant, author, "partnerApiPostsExternal.FINDER-author")
        start, count = int(query.get("start", "0")), int(query.get("count", "10"))
        elements = [told(state, each) for each in state.listed(author)[start : start + count]]
        return document({"elements": elements, "paging": {"start": start, "count": count, "links": []}})

    return [create, several]


def _one(state: LinkedInState) -> list[HTTPRouteHandler]:
    @get("/{urn:str}", sync_to_thread=False)
    def one(request: AnyRequest) -> Response[bytes]:
        grant = state.admit(request)
        known = find(state, str(request.path_params["urn"]))
        state.read_as(grant, known.author, "partnerApiPostsExternal.GET")
        return document(told(state, known))

    @post("/{urn:str}", status_code=204)
    async def change(request: AnyRequest) -> None:
        grant, body = state.admit(request), await body_of(request)
        known = find(state, str(request.path_params["urn"]))
        state.act_as(grant, known.author, "partnerApiPostsExternal.PARTIAL_UPDATE")
        if request.headers.get("x-restli-method") != "PARTIAL_UPDATE":
            raise ApiError(400, "ILLEGAL_ARGUMENT", "X-RestLi-Method must be PARTIAL_UPDATE")
        said = body.get("patch", {}).get("$set", {}).get("commentary")
        if not isinstance(said, str):
            raise invalid("MISSING_FIELD", "Only the commentary can be changed")
        known.body["commentary"], known.post.text = said, read(said)
        known.post.writes += 1

    @delete("/{urn:str}", status_code=204, sync_to_thread=False)
    def remove(request: AnyRequest) -> None:
        grant, known = state.admit(request), state.posts.get(str(request.path_params["urn"]))
        if known is not None:
            state.act_as(grant, known.author, "partnerApiPostsExternal.DELETE")
            known.removed = known.post.removed = True

    return [one, change, remove]


def find(state: LinkedInState, urn: str) -> Shown:
    known = state.posts.get(urn)
    if known is None or known.removed:
        raise gone(urn)
    return known


def _make(state: LinkedInState, body: dict[str, Any], files: tuple[Any, ...]) -> Shown:
    now, planned = state.clock.now(), state.planned_posts.pop(0) if state.planned_posts else {}
    video = str(body.get("content", {}).get("media", {}).get("id", "")).startswith("urn:li:video:")
    urn = f"urn:li:{'ugcPost' if video else 'share'}:{state.new_number()}"
    later = timedelta(seconds=float(planned.get("publish_seconds", 0)))
    visible_at = None if planned.get("lifecycle") == "PUBLISH_FAILED" else now + later
    settings = {name: value for name, value in body.items() if name != "commentary"}
    truth = Post(NAME, body["author"], urn, read(body["commentary"]), files, settings, visible_at or now + NEVER)
    made = state.posts[urn] = Shown(urn, body["author"], now, body, visible_at, truth)
    state.truth.add(truth)
    return made


def told(state: LinkedInState, known: Shown) -> dict[str, Any]:
    created, now = _milliseconds(known.created_at), state.clock.now()
    lifecycle = "PUBLISH_FAILED"
    if known.visible_at is not None:
        lifecycle = "PUBLISHED" if known.visible_at <= now else "PUBLISH_REQUESTED"
    times = {"createdAt": created, "publishedAt": created, "lastModifiedAt": created}
    lived = {"lifecycleState": lifecycle, "lifecycleStateInfo": {"isEditedByAuthor": known.post.writes > 1}}
    return known.body | {"id": known.urn} | times | lived


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
