"""A running content service with teams that use it. auth is a small application that knows their connections."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import httpx
import pytest
from content.main import create_app
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports, service
from kit.problems import EXCEPTION_HANDLERS
from kit.testing.services import Bus, MakePassport, Running, ServiceEnvironment
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.params import FromPath
from PIL import Image


class Team:
    """One workspace and the people in it, as they use the service over HTTP."""

    def __init__(self, client: httpx.AsyncClient, passport: MakePassport) -> None:
        self.client = client
        self.passport = passport
        self.workspace_id = new_id()
        self.account_id = new_id()
        self.bluesky, self.tiktok, self.revoked, self.ending = (new_id() for _ in range(4))

    def headers(self, role: str = "owner") -> dict[str, str]:
        return self.passport(account_id=self.account_id, workspace_id=self.workspace_id, role=role)

    async def call(self, method: str, path: str, *, role: str = "owner", **request: Any) -> httpx.Response:
        """Call a path below the workspace's."""
        headers = self.headers(role) | request.pop("headers", {})
        return await self.client.request(
            method, f"/api/workspaces/{self.workspace_id}{path}", headers=headers, **request
        )

    def variant(self, text: str = "Hello", **more: Any) -> dict[str, Any]:
        return {"connection_id": str(self.bluesky), "text": text} | more

    async def write(self, *variants: dict[str, Any], title: str = "Spring") -> dict[str, Any]:
        """Save a new post that must be taken."""
        answer = await self.call("POST", "/posts", json={"title": title, "variants": variants or [self.variant()]})
        assert answer.status_code == 201, answer.text
        saved: dict[str, Any] = answer.json()
        return saved

    async def submitted(self, *variants: dict[str, Any]) -> dict[str, Any]:
        saved = await self.write(*variants)
        await self.decide("submission", saved)
        return saved

    async def approved(self, *variants: dict[str, Any]) -> dict[str, Any]:
        saved = await self.submitted(*variants)
        await self.decide("approval", saved)
        return saved

    async def decide(self, step: str, saved: dict[str, Any], *, role: str = "owner", **more: Any) -> dict[str, Any]:
        """Take a step of the review that must succeed; returns the post."""
        answer = await self.try_to_decide(step, saved, role=role, **more)
        assert answer.status_code == 200, answer.text
        post: dict[str, Any] = answer.json()
        return post

    async def try_to_decide(
        self, step: str, saved: dict[str, Any], *, role: str = "owner", **more: Any
    ) -> httpx.Response:
        body = {"revision_id": saved["revision_id"]} | more
        return await self.call("POST", f"/posts/{saved['post_id']}/{step}", role=role, json=body)

    async def post(self, saved: dict[str, Any]) -> dict[str, Any]:
        answer = await self.call("GET", f"/posts/{saved['post_id']}")
        assert answer.status_code == 200, answer.text
        post: dict[str, Any] = answer.json()
        return post

    async def sealed(self, saved: dict[str, Any]) -> httpx.Response:
        """The revision as publisher gets it."""
        return await self.client.get(
            f"/internal/workspaces/{self.workspace_id}/revisions/{saved['revision_id']}",
            headers=self.passport(service="publisher"),
        )

    async def upload(self, data: Any, content_type: str = "image/jpeg", *, role: str = "owner") -> httpx.Response:
        return await self.call("POST", "/media", role=role, content=data, headers={"Content-Type": content_type})


@pytest.fixture
def neighbour(keys_folder: Path, clock: MovableClock) -> Litestar:
    """auth, as far as content asks it: `state.connections` by workspace."""
    key = SigningKey.load("auth", keys_folder / "auth.signing.pem")
    passports = Passports(key, TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock)

    @get("/internal/workspaces/{workspace_id:uuid}/connections", guards=[service("content")])
    async def connections(workspace_id: FromPath[UUID], state: State) -> dict[str, Any]:
        return {"connections": state.connections.get(workspace_id, [])}

    return Litestar(
        [connections],
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"passports": passports, "connections": {}}),
        openapi_config=None,
    )


@pytest.fixture
def environment(service_environment: ServiceEnvironment) -> dict[str, str]:
    return service_environment("content")


@pytest.fixture
def app(environment: dict[str, str], neighbour: Litestar) -> Litestar:
    return create_app(environment, transports={"auth": InProcess({"auth": neighbour}, "auth")})


@pytest.fixture
async def client(app: Litestar, bus: Bus, running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app) as client:
        yield client


@pytest.fixture
def team(client: httpx.AsyncClient, passport: MakePassport, neighbour: Litestar) -> Team:
    return _team(client, passport, neighbour)


@pytest.fixture
def other_team(client: httpx.AsyncClient, passport: MakePassport, neighbour: Litestar) -> Team:
    return _team(client, passport, neighbour)


def _team(client: httpx.AsyncClient, passport: MakePassport, neighbour: Litestar) -> Team:
    team = Team(client, passport)
    neighbour.state.connections[team.workspace_id] = [
        {"connection_id": str(team.bluesky), "platform": "bluesky", "state": "active", "handle": "brand.example.com"},
        {"connection_id": str(team.tiktok), "platform": "tiktok", "state": "reauth_required", "handle": "brand"},
        {"connection_id": str(team.revoked), "platform": "bluesky", "state": "revoked", "handle": "old.example.com"},
        {"connection_id": str(team.ending), "platform": "bluesky", "state": "ending", "handle": "late.example.com"},
    ]
    return team


@pytest.fixture
def objects_folder(environment: dict[str, str]) -> Path:
    return Path(environment["OBJECT_STORE_URL"].removeprefix("file://"))


@pytest.fixture
def stored_files(objects_folder: Path) -> Callable[[], list[str]]:
    """The keys of all objects there are."""

    def keys() -> list[str]:
        return sorted(str(file.relative_to(objects_folder)) for file in objects_folder.rglob("*") if file.is_file())

    return keys


@pytest.fixture
def image() -> Callable[..., bytes]:
    """An image file: `image("PNG", (40, 30), exif=…)`."""

    def make(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
        file = io.BytesIO()
        Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 50).convert("RGB").save(file, kind, **options)
        return file.getvalue()

    return make


@pytest.fixture
def video() -> Callable[..., bytes]:
    """A second of video: `video("mp4", "libx264")`."""

    def make(container: str = "mp4", codec: str = "libx264", *, size: tuple[int, int] = (64, 48)) -> bytes:
        file = io.BytesIO()
        with av.open(file, "w", format=container) as output:
            stream = output.add_stream(codec, rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            for number in range(25):
                picture = Image.new("RGB", size, (number * 10, 80, 120))
                for packet in stream.encode(av.VideoFrame.from_image(picture)):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
        return file.getvalue()

    return make
