"""Uploads: the raw bytes of one image or video, streamed."""

from __future__ import annotations

from typing import Any

from contracts.access import Permission
from kit.passport import permission
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from content.api.desk import Desk
from content.api.parameters import Id, Known
from content.api.shapes import MediaAnswer
from content.ports import Examiner, ObjectStore
from content.use_cases.upload_media import Upload, upload_media


def route(desk: Desk, *, examiner: Examiner, objects: ObjectStore) -> HTTPRouteHandler:
    @post(
        "/api/workspaces/{workspace_id:uuid}/media",
        guards=[permission(Permission.POST_WRITE)],
        # The use case counts the bytes itself, against the limit of the kind.
        request_max_body_size=None,
        operation_id="UploadMedia",
    )
    async def upload(workspace_id: Id, request: Request[Any, Any, Any], caller: Known) -> MediaAnswer:
        media = await upload_media(
            Upload(
                workspace_id=workspace_id,
                account_id=caller.account,
                content_type=request.headers.get("content-type", "").partition(";")[0].strip().lower(),
                announced_bytes=request.content_length,
                at=desk.clock.now(),
            ),
            request.stream(),
            examiner=examiner,
            objects=objects,
            open_store=lambda: desk.open_store(workspace_id, caller),
        )
        return MediaAnswer.of(media)

    return upload
