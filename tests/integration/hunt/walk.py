"""One person's way through the whole system, with every secret on it noted, and platforms that quote tokens back."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from kit.testing import wait_for
from sandbox.consent import give_consent
from sandbox.server import Sandbox
from signoff.demo.media import make_image
from signoff.demo.person import Person
from signoff.split import Split

from tests.integration.hunt.places import Recorder, tokens_of
from tests.integration.hunt.planted import Planted, password

RENEW = {"tiktok": "POST /v2/oauth/token/", "bluesky": "POST /oauth/token"}
REVOKE = {"tiktok": "POST /v2/oauth/revoke/", "bluesky": "POST /oauth/revoke"}
UPLOAD, VISIBLE = "POST /xrpc/com.atproto.repo.uploadBlob", "POST /xrpc/com.atproto.repo.putRecord"


@dataclass
class Walk:
    """`handed_out`: what a person is shown once, by the path of the answer that shows it."""

    system: Split
    person: Person
    planted: Planted
    recorder: Recorder = field(default_factory=Recorder)
    handed_out: dict[str, set[str]] = field(default_factory=dict)
    path: str = ""
    connections: dict[str, str] = field(default_factory=dict)

    @property
    def sandbox(self) -> Sandbox:
        assert self.system.sandbox is not None
        return self.system.sandbox

    @property
    def letters(self) -> Path:
        return self.system.surroundings.installation.mail

    async def ask(self, method: str, path: str, expect: int = 200, **request: Any) -> Any:
        return await self.person.ask(method, path, expect=expect, **request)

    def note(self, name: str, path: str, *texts: str) -> None:
        """A secret that one answer shows to who is to have it."""
        self.planted.add(name, *texts)
        self.handed_out.setdefault(path, set()).update(texts)

    def note_session(self) -> None:
        for cookie in self.person.http.cookies.jar:
            if "session" in cookie.name and cookie.value:
                paths = ("/api/session", "/api/session/second-factor", "/api/account/authenticator-app/confirmation")
                for path in paths:
                    self.note("session", path, cookie.value)


async def take(walk: Walk) -> None:
    """Everything, in an order in which nothing hides what came before."""
    walk.recorder.watch(walk.person.http)
    await _come_in(walk)
    await _enrol(walk)
    made = await walk.ask("POST", "/api/workspaces", 201, json={"name": "Harbour", "time_zone": "UTC"})
    walk.path = f"/api/workspaces/{made['workspace_id']}"
    await _make_a_key(walk)
    await walk.ask("GET", "/api/account/export")
    for platform in ("tiktok", "bluesky"):
        await _connect(walk, platform)
    await _publish(walk, "seen by everybody", UPLOAD, 500, "published")
    await _publish(walk, "refused", VISIBLE, 400, "failed")
    await _renew(walk)
    await _leave(walk)


async def _come_in(walk: Walk) -> None:
    person, planted = walk.person, walk.planted
    person.password = password("own")
    planted.add_password("password", person.password)
    await person.sign_up(walk.letters, time_zone="UTC")
    for number, email in enumerate((person.email, "nobody@example.com")):
        wrong = password(f"wrong {number}")
        planted.add_password("wrong password", wrong)
        await walk.ask("POST", "/api/session", 401, json={"email": email, "password": wrong})
    await _say_it_wrongly(walk)
    await person.sign_in()
    walk.note_session()
    changed = password("reset")
    planted.add_password("password", changed)
    await walk.ask("POST", "/api/password-resets", 202, json={"email": person.email})
    tokens = await wait_for(
        lambda: tokens_of(walk.letters, "reset_password"), what="the letter that resets the password"
    )
    await walk.ask("POST", "/api/password-resets/confirmations", 204, json={"token": tokens[-1], "password": changed})
    person.password = changed
    await person.sign_in()
    walk.note_session()


async def _say_it_wrongly(walk: Walk) -> None:
    """Secrets where none belongs: errors do not repeat them."""
    misplaced = password("misplaced")
    walk.planted.add_password("misplaced password", misplaced)
    credentials = {"email": walk.person.email, "password": misplaced}
    for status, body in (
        (400, json.dumps(credentials)[:-1]),
        (422, json.dumps(credentials | {"time_zone": misplaced})),
        (422, json.dumps(credentials | {"password": [misplaced]})),
        (422, json.dumps(credentials | {"password": misplaced * 200})),
    ):
        await walk.ask("POST", "/api/session", status, content=body, headers={"Content-Type": "application/json"})
    guess = secrets.token_urlsafe(32)
    walk.planted.add("guessed token", guess)
    await walk.ask("POST", "/api/accounts/verifications", 404, json={"token": guess})
    await walk.ask("POST", "/api/account/address/confirmations", 404, json={"token": guess})


async def _enrol(walk: Walk) -> None:
    """An authenticator app; then sign out, and in again with a recovery code."""
    app = "/api/account/authenticator-app"
    shown = await walk.ask("POST", app, 201)
    walk.note("authenticator app", app, shown["secret"])
    code = pyotp.TOTP(shown["secret"]).at(walk.system.clock.now())
    confirmed = await walk.ask("POST", f"{app}/confirmation", 201, json={"code": code})
    walk.note("recovery code", f"{app}/confirmation", *confirmed["recovery_codes"])
    walk.note_session()
    await walk.ask("DELETE", "/api/session", 204)
    credentials = {"email": walk.person.email, "password": walk.person.password}
    begun = (await walk.ask("POST", "/api/session", json=credentials))["second_factor"]
    walk.note("pending sign-in", "/api/session", begun["pending"])
    guess = "aaaaa-bbbbb-ccccc-ddddd"
    walk.planted.add("guessed recovery code", guess)
    for status, given in ((403, guess), (201, confirmed["recovery_codes"][0])):
        body = {"pending": begun["pending"], "recovery_code": given}
        await walk.ask("POST", "/api/session/second-factor", status, json=body)
    walk.note_session()


async def _make_a_key(walk: Walk) -> None:
    path = f"{walk.path}/api-keys"
    made = await walk.ask("POST", path, 201, json={"name": "Program", "permissions": ["workspace.read"]})
    walk.note("API key", path, made["secret"])
    forged = made["secret"][:-4] + "zzzz"
    walk.planted.add("forged API key", forged)
    for status, secret in ((200, made["secret"]), (401, forged)):
        # A program has no cookies.
        headers = {"Authorization": f"Bearer {secret}", "Cookie": ""}
        await walk.ask("GET", walk.path, status, headers=headers)


async def _connect(walk: Walk, platform: str) -> None:
    """Twice: the first time the platform quotes the code and breaks."""
    wish = {"platform": platform} | ({"handle": "brand.test"} if platform == "bluesky" else {})
    for breaks in (True, False):
        started = await walk.ask("POST", f"{walk.path}/connections/authorisations", 201, json=wish)
        callback = await give_consent(walk.person.http, started["authorisation_url"])
        told = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
        walk.planted.add("code of an authorisation", told["code"])
        # The page that a person is sent to has it in its address.
        walk.note("state", f"{walk.path}/connections/authorisations", told["state"])
        for path in ("/v2/auth/authorize/", "/oauth/authorize", urlsplit(started["authorisation_url"]).path):
            walk.handed_out.setdefault(path, set()).update((told["state"], told["code"]))
        if breaks:
            _quote_back(walk, platform, RENEW[platform], 400, told["code"], told["state"])
        path = callback.removeprefix(walk.system.gateway_url)
        answer = await walk.person.http.get(path)
        assert answer.is_success is not breaks, answer.text
        walk.sandbox.clear_faults(platform)
        if not breaks:
            walk.connections[platform] = answer.json()["connection_id"]
    walk.planted.add_tokens(walk.sandbox)


def _quote_back(walk: Walk, platform: str, route: str, status: int, *quoted: str, times: int = 1) -> None:
    text = f"no: {' '.join(quoted)}"
    body = {"error": "invalid_grant" if status == 400 else "internal", "error_description": text, "message": text}
    walk.sandbox.add_fault(platform, route, "answer", status=status, body=body, times=times)


def _living(walk: Walk, platform: str) -> list[str]:
    if platform == "tiktok":
        return [each for held in walk.sandbox.tiktok.state.grants for each in (held.access_token, held.refresh_token)]
    sessions = walk.sandbox.bluesky.state.sessions
    return [each for session in sessions for each in (session.access_token, session.refresh_token)]


async def _publish(walk: Walk, text: str, route: str, status: int, wanted: str) -> None:
    """One post, whose call the platform answers with the token in an error."""
    image = await walk.ask(
        "POST", f"{walk.path}/media", 201, content=make_image(), headers={"Content-Type": "image/jpeg"}
    )
    variant = {
        "connection_id": walk.connections["bluesky"],
        "text": text,
        "media": [{"media_id": image["media_id"], "alt_text": "a sunrise"}],
        "settings": {"langs": ["en"]},
    }
    post = await walk.ask("POST", f"{walk.path}/posts", 201, json={"title": text, "variants": [variant]})
    for step in ("submission", "approval"):
        address = f"{walk.path}/posts/{post['post_id']}/{step}"
        await walk.ask("POST", address, json={"revision_id": post["revision_id"]})
    _quote_back(walk, "bluesky", route, status, *_living(walk, "bluesky"))
    wish = {
        "post_id": post["post_id"],
        "revision_id": post["revision_id"],
        "connection_ids": [walk.connections["bluesky"]],
        "time_zone": "UTC",
    }
    made = await walk.ask("POST", f"{walk.path}/schedules", 201, json=wish)

    async def ended() -> str | None:
        asked = {"schedule_id": made["schedule_id"]}
        found = (await walk.ask("GET", f"{walk.path}/publications", params=asked))["publications"]
        states = {each["state"] for each in found}
        return states.pop() if states & {"published", "failed", "needs_attention"} else None

    assert await wait_for(ended, 60, what=f"an end of {text}") == wanted


async def _renew(walk: Walk) -> None:
    """Every grant, after an answer that quotes it."""
    before = {platform: _living(walk, platform) for platform in RENEW}
    for platform, route in RENEW.items():
        _quote_back(walk, platform, route, 500, *before[platform])
    walk.system.clock.advance(timedelta(hours=1, minutes=50))

    async def renewed() -> bool:
        walk.planted.add_tokens(walk.sandbox)
        walk.system.clock.advance(timedelta(seconds=5))
        return all(_living(walk, platform) != before[platform] for platform in RENEW)

    await wait_for(renewed, 60, what="every renewal")


async def _leave(walk: Walk) -> None:
    """One connection ends at the platform, the other here, while its platform breaks."""
    walk.planted.add_tokens(walk.sandbox)
    for client in walk.sandbox.tiktok.state.clients.values():
        client.webhook_url = f"{walk.system.gateway_url}/webhooks/tiktok"
    for held in walk.sandbox.tiktok.state.grants:
        walk.sandbox.tiktok.withdraw(held.open_id)
    _quote_back(walk, "bluesky", REVOKE["bluesky"], 500, *_living(walk, "bluesky"), times=3)
    ended = await walk.ask("DELETE", f"{walk.path}/connections/{walk.connections['bluesky']}")
    assert ended["platform_confirmed"] is False

    async def none() -> bool:
        shown: list[Any] = (await walk.ask("GET", f"{walk.path}/connections"))["connections"]
        return not shown

    await wait_for(none, 30, what="an end of both connections")
