"""Calls to TikTok's JSON API: bearer token out, envelope in, errors by the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from platforms.errors import OutcomeUnknown, Transient
from platforms.shape import Call
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.errors import api_error
from platforms.wire import converted, send

T = TypeVar("T")


@dataclass(frozen=True)
class TikTokApi:
    """The posting and display API for one call's account."""

    endpoints: TikTokEndpoints

    async def post(
        self, call: Call, path: str, body: Mapping[str, Any], kind: type[T], *, fields: str = "", visible: bool = False
    ) -> T:
        """POST JSON to a path under `/v2/` (trailing slash included) and return the envelope's data.

        `visible`: TikTok makes the post by itself once it has taken the call.
        """
        data = await self._exchange(call, "POST", path, body=body, fields=fields, visible=visible)
        try:
            return converted(data, kind)
        except Transient as error:
            if visible:
                raise OutcomeUnknown(error.code, error.detail) from None
            raise

    async def get(self, call: Call, path: str, kind: type[T], *, fields: str) -> T:
        return converted(await self._exchange(call, "GET", path, body=None, fields=fields), kind)

    async def _exchange(
        self,
        call: Call,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None,
        fields: str,
        visible: bool = False,
    ) -> Mapping[str, Any]:
        request = call.http.build_request(
            method,
            f"{self.endpoints.api}/v2/{path}",
            params={"fields": fields} if fields else None,
            json=body,
            headers={"Authorization": f"Bearer {call.grant.access_token.reveal()}"},
        )
        answer = await send(call.http, request, visible=visible)
        document = answer.json()
        error = document.get("error")
        error = error if isinstance(error, dict) else {}
        if error.get("code") == "ok":
            data = document.get("data")
            return data if isinstance(data, dict) else {}
        log_id = error.get("log_id")
        raise api_error(answer.status, error.get("code"), log_id=log_id, now=call.clock.now(), visible=visible)
