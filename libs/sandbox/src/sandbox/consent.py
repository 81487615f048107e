"""The page on which a person allows or denies, and the same click made by a program.

Both platforms' pages are built here, so that their forms have the same names: `request_id`, `account`,
`scopes` (one field per ticked scope) and `decision` (`allow` or `deny`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


@dataclass(frozen=True)
class Choice:
    """One account a person could be signed in with."""

    account_id: str
    label: str


def page(
    *, platform: str, client: str, request_id: str, action: str, accounts: Sequence[Choice], scopes: Sequence[str]
) -> str:
    """The consent page as HTML. Every scope starts ticked, as on the real pages."""
    options = "".join(f'<option value="{escape(c.account_id)}">{escape(c.label)}</option>' for c in accounts)
    boxes = "".join(
        f'<li><label><input type="checkbox" name="scopes" value="{escape(scope)}" checked> {escape(scope)}</label></li>'
        for scope in scopes
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(platform)} (sandbox)</title>
<style>body{{font:16px/1.5 system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}}
ul{{padding:0;list-style:none}}button,select{{font:inherit;padding:.4rem .8rem}}</style></head>
<body><h1>{escape(platform)}</h1>
<p>This is a sandbox. Nothing here reaches the real {escape(platform)}.</p>
<p><strong>{escape(client)}</strong> asks to act for your account.</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="request_id" value="{escape(request_id)}">
<p><label>Account <select name="account">{options}</select></label></p>
<ul>{boxes}</ul>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p>
</form></body></html>"""


async def give_consent(
    http: httpx.AsyncClient,
    authorise_url: str,
    *,
    decision: str = "allow",
    account: str | None = None,
    scopes: Sequence[str] | None = None,
) -> str:
    """Open the page, fill the form in and press the button; returns the address of the callback.

    Without `account` the first one offered is taken; without `scopes` all stay ticked.
    """
    shown = await http.get(authorise_url)
    shown.raise_for_status()
    action = _first(r'action="([^"]*)"', shown.text)
    request_id = _first(r'name="request_id" value="([^"]*)"', shown.text)
    chosen = account or _first(r'<option value="([^"]*)"', shown.text)
    offered = [unescape(scope) for scope in re.findall(r'name="scopes" value="([^"]*)"', shown.text)]
    form: dict[str, str | list[str]] = {
        "request_id": request_id,
        "account": chosen,
        "scopes": list(offered if scopes is None else scopes),
        "decision": decision,
    }
    answer = await http.post(urljoin(authorise_url, action), data=form, follow_redirects=False)
    if answer.status_code not in (302, 303):
        raise RuntimeError(f"the consent page answered {answer.status_code}: {answer.text[:300]}")
    return answer.headers["location"]


def callback_parameters(location: str) -> dict[str, str]:
    """The query of a callback's address, decoded once."""
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError("this is not a consent page of the sandbox")
    return unescape(found[1])
