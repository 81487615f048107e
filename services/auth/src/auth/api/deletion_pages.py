"""The page that a person gets for their request for deletion: in words, by its code alone, without a script."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from html import escape

from litestar import MediaType, Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from auth.domain.notices import BACKUPS_WITHIN, ERASED_WITHIN, REQUESTS_KEPT, DeletionRequest
from auth.ports.store import Transactions
from auth.use_cases.hearing import find_request

_STYLE = """:root{color-scheme:light dark}
body{font:1.0625rem/1.6 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:2rem 1.25rem}
h1{font-size:1.75rem;line-height:1.25}h2{font-size:1.2rem;margin-top:2rem}
code{font-size:1rem;overflow-wrap:anywhere}li{margin:.5rem 0}"""

_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""This page may use its own style and nothing else."""

_PLATFORMS = {"facebook": "Facebook", "instagram": "Instagram", "threads": "Threads"}


def deletion_page_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    @get("/deletions/{code:str}")
    async def show_request(code: FromPath[str]) -> Response[str]:
        request = await find_request(transactions, code)
        return Response(
            _page("There is no such request", _unknown()) if request is None else _of_request(request),
            status_code=404 if request is None else 200,
            media_type=MediaType.HTML,
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"},
        )

    return [show_request]


def _of_request(request: DeletionRequest) -> str:
    platform = _PLATFORMS.get(request.platform, request.platform)
    opening = (
        f"<p>Code: <code>{escape(request.code)}</code></p>"
        f"<p>You asked for the deletion of what Signoff holds from your {escape(platform)} account."
        f" {escape(platform)} passed your request on to us on {_day(request.requested_at)}.</p>"
    )
    body = _nothing_held(platform) if not request.parts else _parts(request, platform)
    closing = (
        "<h2>What is not deleted</h2>"
        f"<p>Posts that were published stay on {escape(platform)} until they are deleted there. The team that published"
        " through your account keeps its own texts and the record of what it posted when.</p>"
        f"<p>This page stays until {_day(request.requested_at + REQUESTS_KEPT)}. It says nothing about who you are."
        " Dates are those of Coordinated Universal Time (UTC).</p>"
    )
    return _page("Your request for deletion", opening + body + closing)


def _nothing_held(platform: str) -> str:
    return (
        "<h2>What was found</h2>"
        f"<p>Nothing to delete. When the request came, no {escape(platform)} account of yours was connected here, and"
        f" {escape(platform)} had ended none in the four weeks before.</p>"
        "<p>If a connection was ended here earlier, its tokens were destroyed at that moment, and what was derived"
        f" from it is deleted within {ERASED_WITHIN.days} days of its end.</p>"
    )


def _parts(request: DeletionRequest, platform: str) -> str:
    erased_by = request.erased_by
    backups_by = erased_by + BACKUPS_WITHIN
    data = (
        f"deleted on {_day(erased_by)}."
        if request.is_erased
        else f"will be deleted by {_day(erased_by)} at the latest."
    )
    backups = (
        "every one from before the deletion is destroyed."
        if request.is_final
        else f"those from before the deletion are destroyed by {_day(backups_by)} at the latest. They serve only to"
        " recover from a loss; were one restored, your data would be deleted from it again."
    )
    proofs = "".join(
        f'<li><a href="/api/erasures/{part.erasure_id}">Record {number} of {len(request.parts)}</a></li>'
        for number, part in enumerate(request.parts, start=1)
    )
    return (
        "<h2>What is deleted</h2><ul>"
        f"<li><strong>Access to your {escape(platform)} account:</strong> ended. Every token was destroyed on"
        f" {_day(request.requested_at)} or before. The name, picture and id of the account went with them.</li>"
        f"<li><strong>What was read from it,</strong> such as the numbers of posts: {data}</li>"
        f"<li><strong>Backups:</strong> {backups}</li></ul>"
        "<h2>Proof</h2><p>Each part of the deletion has a record for programs, which carries a signed certificate once"
        f" it is done. A record can take a minute to appear.</p><ul>{proofs}</ul>"
    )


def _unknown() -> str:
    return (
        "<p>No request for deletion has this code. Check that the address is complete. A request is shown for"
        f" {REQUESTS_KEPT.days} days.</p>"
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{title} – Signoff</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )


def _day(at: datetime) -> str:
    """Spelt out, because numbers alone are read in two orders."""
    return f'<time datetime="{at.isoformat(timespec="seconds")}">{at.day} {at:%B %Y}</time>'
