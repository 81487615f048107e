"""Keep the session's token out of pages: it leaves auth's answer for a cookie that no script can read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from kit.clock import Clock
from kit.problems import Unavailable
from kit.secret import Secret

from gateway.domain import cookies
from gateway.domain.routes import SessionEffect
from gateway.ports import OwnerAnswer


def settle_session(
    answer: OwnerAnswer, *, effect: SessionEffect, clock: Clock, secure: bool
) -> tuple[OwnerAnswer, str | None]:
    """The answer for the client, and the Set-Cookie value that goes with it if there is one."""
    if not 200 <= answer.status < 300:
        return answer, None
    if effect is SessionEffect.CLOSES:
        return answer, cookies.closing(secure=secure)
    if effect is SessionEffect.OPENS:
        document = _document(answer)
        if "session_token" not in document and answer.status != HTTPStatus.CREATED:
            return answer, None
        if not {"session_token", "expires_at"} <= document.keys():
            raise Unavailable("auth opened a session without its token")
        token = Secret(str(document.pop("session_token")))
        expires_at = datetime.fromisoformat(document["expires_at"])
        cookie = cookies.opening(token, expires_at=expires_at, now=clock.now(), secure=secure)
        return replace(answer, body=json.dumps(document).encode()), cookie
    return answer, None


def _document(answer: OwnerAnswer) -> dict[str, Any]:
    document = json.loads(answer.body)
    return document if isinstance(document, dict) else {}
