"""metrics on real servers, with a platform that records what it is asked and an auth that lends grants."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import psycopg
import pytest
from contracts.auth import ConnectionRevokedV2, PlatformConfirmation, RevocationReason
from contracts.leases import LeaseAnswer, LeaseRequest, lease_context
from contracts.publisher import PublicationIdentifiedV1, PublicationPublishedV1
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import TrustedKeys
from kit.secret import Secret
from kit.testing.services import Bus, Running, ServiceEnvironment
from litestar import Litestar, post
from litestar.params import FromPath, JSONBody
from metrics.main import create_app
from platforms import grants
from platforms.environment import OfferedPlatforms
from platforms.errors import PlatformError, Rejected
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Counts, Grant, PlatformName


@dataclass
class ListeningPlatform:
    """Tells numbers of the posts it knows, and remembers every id it was asked for."""

    name: PlatformName = PlatformName.BLUESKY
    insights_batch_max: int = 3
    counts: dict[str, Counts] = field(default_factory=dict)
    foreign: dict[str, Counts] = field(default_factory=dict)
    error: PlatformError | None = None
    refused: set[str] = field(default_factory=set)
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        self.calls.append((call.grant.account_id, tuple(post_ids)))
        if self.error is not None:
            raise self.error
        if self.refused & set(post_ids):
            raise Rejected("no_such_media", "one of them is not told of", advice="")
        return {post: self.counts[post] for post in post_ids if post in self.counts} | self.foreign

    @property
    def asked(self) -> set[str]:
        return {post for _, posts in self.calls for post in posts}


@dataclass
class Lender:
    """auth as a borrower sees it: lends a grant for every connection it does not refuse."""

    trusted: TrustedKeys
    clock: MovableClock
    refused: dict[UUID, str] = field(default_factory=dict)
    returned: list[str] = field(default_factory=list)
    lent: list[UUID] = field(default_factory=list)
    platform: str = "bluesky"
    grant: Grant | None = None
    dead: list[tuple[UUID, str]] = field(default_factory=list)

    def app(self) -> Litestar:
        @post("/internal/leases")
        async def lend(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
            request = LeaseRequest.model_validate(data)
            leases = [self._lease(c) for c in request.connection_ids if c not in self.refused]
            refused = [
                {"connection_id": c, "code": self.refused[c]} for c in request.connection_ids if c in self.refused
            ]
            answer = LeaseAnswer.model_validate({"leases": leases, "refused": refused})
            return answer.model_dump(mode="json")

        @post("/internal/leases/returns")
        async def take_back(data: JSONBody[dict[str, Any]]) -> None:
            self.returned += data["lease_ids"]

        @post("/internal/connections/{connection_id:uuid}/dead")
        async def bury(connection_id: FromPath[UUID], data: JSONBody[dict[str, Any]]) -> None:
            self.dead.append((connection_id, data["code"]))

        return Litestar([lend, take_back, bury])

    def _lease(self, connection_id: UUID) -> dict[str, Any]:
        self.lent.append(connection_id)
        lease_id, expires_at = new_id(), self.clock.now() + timedelta(hours=1)
        grant = self.grant or Grant(str(connection_id), Secret("access"), None, ("read",), expires_at, None)
        sealed = self.trusted.seal(
            "metrics", grants.dump(grant, with_refresh=False), context=lease_context(lease_id, connection_id)
        )
        return {
            "lease_id": lease_id,
            "connection_id": connection_id,
            "workspace_id": new_id(),
            "platform": self.platform,
            "handle": "owner.example.com",
            "sealed": base64.b64encode(sealed).decode(),
            "expires_at": expires_at,
        }


@dataclass
class World:
    """One running metrics service and everything around it."""

    client: httpx.AsyncClient
    bus: Bus
    clock: MovableClock
    platform: ListeningPlatform
    auth: Lender
    superuser_url: str

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.superuser_url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def snapshot_count(self) -> int:
        count: int = self.rows("SELECT count(*) FROM snapshot")[0][0]
        return count

    def state(self, publication_id: UUID) -> str | None:
        found = self.rows("SELECT state FROM tracked WHERE publication_id = %s", publication_id)
        return found[0][0] if found else None


@pytest.fixture
async def world(
    service_environment: ServiceEnvironment, bus: Bus, clock: MovableClock, running: Running, keys_folder: Path
) -> AsyncIterator[World]:
    environment = service_environment("metrics")
    platform = ListeningPlatform()
    auth = Lender(TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock)
    app = create_app(
        environment,
        transports={"auth": InProcess({"auth": auth.app()}, "auth")},
        offered=OfferedPlatforms(
            platforms={PlatformName.BLUESKY: cast(Platform, platform)},
            credentials={PlatformName.BLUESKY: ClientCredentials("us", None, "http://us")},
            allowed_hosts={},
        ),
    )
    async with running(app) as client:
        yield World(client, bus, clock, platform, auth, environment["DATABASE_SUPERUSER_URL_METRICS"])


MakePublished = Callable[..., PublicationPublishedV1]


@pytest.fixture
def published(clock: MovableClock) -> MakePublished:
    """A publication of ours that just went out, as publisher tells it."""

    def make(
        *,
        workspace_id: UUID | None = None,
        connection_id: UUID | None = None,
        platform_post_id: str | None = "at://post/1",
        published_at: datetime | None = None,
        platform: str = "bluesky",
    ) -> PublicationPublishedV1:
        return PublicationPublishedV1(
            workspace_id=workspace_id or new_id(),
            publication_id=new_id(),
            schedule_id=new_id(),
            post_id=new_id(),
            revision_id=new_id(),
            connection_id=connection_id or new_id(),
            platform=platform,
            published_at=published_at or clock.now(),
            platform_post_id=platform_post_id,
        )

    return make


def identified(event: PublicationPublishedV1, platform_post_id: str) -> PublicationIdentifiedV1:
    facts = event.model_dump(exclude={"published_at", "platform_post_id"})
    return PublicationIdentifiedV1(**facts, platform_post_id=platform_post_id)


def revoked(event: PublicationPublishedV1, *, at: datetime) -> ConnectionRevokedV2:
    return ConnectionRevokedV2(
        workspace_id=event.workspace_id,
        connection_id=event.connection_id,
        platform=event.platform,
        reason=RevocationReason.DISCONNECTED,
        platform_confirmation=PlatformConfirmation.CONFIRMED,
        revoked_at=at,
        erasure_id=new_id(),
    )
