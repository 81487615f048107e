"""A real OpenID provider in a process of its own, and a person who signs in to it with a browser."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from services.auth.tests.npm import NODE, installed

SOURCE = Path(__file__).parent / "openid_provider"
PAGES_MAX = 12
"""A login and a consent are five pages; more is a loop."""

CLIENT_ID, CLIENT_SECRET = "signoff", "only-in-tests: 100%+"


@dataclass(frozen=True)
class RunningProvider:
    """`issuer` is how it calls itself."""

    issuer: str

    def rotate_keys(self) -> None:
        httpx.post(f"{self.issuer}/test/keys").raise_for_status()


@contextmanager
def run_provider(redirect_uri: str) -> Iterator[RunningProvider]:
    client = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "redirectUri": redirect_uri}
    command = [str(NODE), "provider.mjs", json.dumps(client)]
    with subprocess.Popen(command, cwd=installed(SOURCE), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield RunningProvider(f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}")
        finally:
            process.kill()


@dataclass
class Person:
    """Somebody with a browser that remembers whom they signed in as at the provider."""

    login: str
    logins: int = 0
    """How often they were asked who they are."""
    _browser: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    async def visit(self, authorisation_url: str, *, back_at: str, deny: bool = False) -> dict[str, str]:
        """Go where one is sent, fill in what is asked, and return what the callback at `back_at` is called with."""
        page = await self._browser.get(authorisation_url)
        for _ in range(PAGES_MAX):
            if page.is_redirect:
                target = page.headers["location"]
                if target.startswith(back_at):
                    return dict(parse_qsl(urlsplit(target).query))
                page = await self._browser.get(httpx.URL(page.url).join(target))
            else:
                page = await self._answer(page, deny=deny)
        raise AssertionError(f"the provider never sent {self.login} back; its last page was {page.text[:500]}")

    async def _answer(self, page: httpx.Response, *, deny: bool) -> httpx.Response:
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert page.status_code == 200, page.text
        assert form is not None, page.text
        if deny:
            abort = re.search(r'href="([^"]+/abort)"', page.text)
            assert abort is not None, page.text
            return await self._browser.get(httpx.URL(page.url).join(html.unescape(abort[1])))
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        if 'name="login"' in page.text:
            self.logins += 1
            fields |= {"login": self.login, "password": "anything"}
        return await self._browser.post(httpx.URL(page.url).join(html.unescape(form[1])), data=fields)

    async def leave(self) -> None:
        await self._browser.aclose()
