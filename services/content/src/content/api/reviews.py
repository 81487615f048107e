"""The review of a post: submission, approval, changes asked for, approval taken back."""

from __future__ import annotations

from uuid import UUID

from contracts.access import Permission
from kit.passport import Caller, permission
from litestar import delete, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from litestar.types import ControllerRouterHandler

from content.api.desk import Desk
from content.api.parameters import Id, Known
from content.api.posts import POST
from content.api.shapes import ChangesBody, PostAnswer, RevisionBody
from content.use_cases import review_post
from content.use_cases.review_post import Review


def routes(desk: Desk) -> list[ControllerRouterHandler]:
    return [_submission(desk), *_decisions(desk)]


def _submission(desk: Desk) -> ControllerRouterHandler:
    @post(
        POST + "/submission",
        guards=[permission(Permission.POST_WRITE)],
        status_code=HTTP_200_OK,
        operation_id="SubmitPost",
    )
    async def submit(workspace_id: Id, post_id: Id, data: JSONBody[RevisionBody], caller: Known) -> PostAnswer:
        review = _review(desk, workspace_id, post_id, caller)
        async with desk.open_post(workspace_id, post_id, caller) as store:
            await review_post.submit_post(review, data.revision_id, platforms=desk.platforms, store=store)
            return await desk.shown(workspace_id, post_id, store)

    return submit


def _decisions(desk: Desk) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.POST_APPROVE)]

    @post(POST + "/approval", guards=guards, status_code=HTTP_200_OK, operation_id="ApprovePost")
    async def approve(workspace_id: Id, post_id: Id, data: JSONBody[RevisionBody], caller: Known) -> PostAnswer:
        review = _review(desk, workspace_id, post_id, caller)
        async with desk.open_post(workspace_id, post_id, caller) as store:
            await review_post.approve_post(review, data.revision_id, sign=desk.sign, store=store)
            return await desk.shown(workspace_id, post_id, store)

    @delete(POST + "/approval", guards=guards, status_code=HTTP_200_OK, operation_id="WithdrawApproval")
    async def withdraw(workspace_id: Id, post_id: Id, caller: Known) -> PostAnswer:
        review = _review(desk, workspace_id, post_id, caller)
        async with desk.open_post(workspace_id, post_id, caller) as store:
            await review_post.withdraw_approval(review, store=store)
            return await desk.shown(workspace_id, post_id, store)

    @post(POST + "/changes", guards=guards, status_code=HTTP_200_OK, operation_id="RequestChanges")
    async def request_changes(workspace_id: Id, post_id: Id, data: JSONBody[ChangesBody], caller: Known) -> PostAnswer:
        review = _review(desk, workspace_id, post_id, caller)
        async with desk.open_post(workspace_id, post_id, caller) as store:
            await review_post.request_changes(review, data.revision_id, data.comment, store=store)
            return await desk.shown(workspace_id, post_id, store)

    return [approve, withdraw, request_changes]


def _review(desk: Desk, workspace_id: UUID, post_id: UUID, caller: Caller) -> Review:
    return Review(workspace_id, post_id, caller.account, desk.clock.now())
