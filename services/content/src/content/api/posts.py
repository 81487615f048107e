"""Posts: write, read, delete."""

from __future__ import annotations

from uuid import UUID

from contracts.access import Permission
from kit.passport import permission
from litestar import delete, get, post, put
from litestar.params import FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from content.api.desk import Desk
from content.api.parameters import Id, Known
from content.api.shapes import PostAnswer, PostBody, PostsAnswer, SavedAnswer, SummaryAnswer
from content.domain.post import Post, Revision
from content.use_cases.delete_post import delete_post
from content.use_cases.find_violations import find_violations
from content.use_cases.read_posts import list_posts
from content.use_cases.save_post import Author, create_post, edit_post

POSTS = "/api/workspaces/{workspace_id:uuid}/posts"
POST = POSTS + "/{post_id:uuid}"


def routes(desk: Desk) -> list[ControllerRouterHandler]:
    return [*_writing(desk), *_reading(desk)]


def _writing(desk: Desk) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.POST_WRITE)]

    @post(POSTS, guards=guards, operation_id="CreatePost")
    async def create(workspace_id: Id, data: JSONBody[PostBody], caller: Known) -> SavedAnswer:
        author = Author(workspace_id, caller.account, desk.clock.now())
        # Asked before the transaction begins, so that none waits for a neighbour.
        known = await desk.open_connections(workspace_id, caller)
        async with desk.open_store(workspace_id, caller) as store:
            saved = await create_post(data.draft(), author=author, connections=known, store=store)
        return _saved(desk, *saved)

    @put(POST, guards=guards, operation_id="EditPost")
    async def edit(workspace_id: Id, post_id: Id, data: JSONBody[PostBody], caller: Known) -> SavedAnswer:
        author = Author(workspace_id, caller.account, desk.clock.now())
        known = await desk.open_connections(workspace_id, caller)
        async with desk.open_post(workspace_id, post_id, caller) as store:
            saved = await edit_post(data.draft(), post_id=post_id, author=author, connections=known, store=store)
        return _saved(desk, *saved)

    @delete(POST, guards=guards, operation_id="DeletePost")
    async def remove(workspace_id: Id, post_id: Id, caller: Known) -> None:
        async with desk.open_post(workspace_id, post_id, caller) as store:
            await delete_post(workspace_id, post_id, at=desk.clock.now(), store=store)

    return [create, edit, remove]


def _reading(desk: Desk) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.POST_READ)]

    @get(POSTS, guards=guards, operation_id="ListPosts")
    async def several(workspace_id: Id, caller: Known, before: FromQuery[UUID | None] = None) -> PostsAnswer:
        async with desk.open_store(workspace_id, caller) as store:
            posts = await list_posts(workspace_id, before=before, reach=caller.reach, store=store)
        return PostsAnswer([SummaryAnswer.of(item) for item in posts])

    @get(POST, guards=guards, operation_id="ShowPost")
    async def one(workspace_id: Id, post_id: Id, caller: Known) -> PostAnswer:
        async with desk.open_post(workspace_id, post_id, caller) as store:
            return await desk.shown(workspace_id, post_id, store)

    return [several, one]


def _saved(desk: Desk, saved: Post, revision: Revision) -> SavedAnswer:
    return SavedAnswer(
        post_id=saved.post_id,
        revision_id=saved.revision_id,
        number=saved.number,
        content_hash=revision.content_hash,
        state=saved.state.value,
        violations=find_violations(revision.content, desk.platforms),
    )
