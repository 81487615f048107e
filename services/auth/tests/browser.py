"""A real browser whose authenticator is a virtual one (WebDriver, Web Authentication level 2, section 11)."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Route, async_playwright

from services.auth.tests.npm import NODE, installed

SOURCE = Path(__file__).parent / "browser_package"
UNPACK_SECONDS = 60

_CREATE = """async options => (await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
_GET = """async options => (await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""


class Browser:
    """A page of one site. A refusal of the browser itself is raised as `playwright.async_api.Error`."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def create(self, options: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = await self._page.evaluate(_CREATE, options)
        return made

    async def get(self, options: dict[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = await self._page.evaluate(_GET, options)
        return given


@asynccontextmanager
async def open_browser(origin: str) -> AsyncIterator[Browser]:
    """At a page of `origin`, which is answered here: nothing goes out."""
    executable = await asyncio.to_thread(_executable)
    libraries = {"LD_LIBRARY_PATH": str(executable.parent / "al2023" / "lib")}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"], env={**os.environ, **libraries}
        )
        page = await browser.new_page()
        await page.route("**/*", _empty_page)
        await page.goto(origin)
        session = await page.context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        traits = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": traits})
        yield Browser(page)
        await browser.close()


async def _empty_page(route: Route) -> None:
    await route.fulfill(status=200, content_type="text/html", body="<title>Signoff</title>")


def _executable() -> Path:
    folder = installed(SOURCE)
    scratch = folder / "unpacked"
    scratch.mkdir(exist_ok=True)
    told = subprocess.run(
        [NODE, "where.mjs"],
        cwd=folder,
        # It unpacks the libraries it needs only where it believes them to be missing, as they can be here too.
        env=os.environ | {"TMPDIR": str(scratch), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"},
        check=True,
        capture_output=True,
        text=True,
        timeout=UNPACK_SECONDS,
    )
    return Path(told.stdout.strip())
