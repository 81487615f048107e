"""retention on real servers, and the other services' answers told by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from contracts.auth import (
    AccountDeletedV1,
    ConnectionRevokedV2,
    PlatformConfirmation,
    RevocationReason,
    WorkspaceDeletedV1,
)
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1
from contracts.topology import erasing_services
from kit.certificates import verify_certificate
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus, Running, ServiceEnvironment
from retention.main import create_app


@dataclass
class World:
    """One running retention service."""

    client: httpx.AsyncClient
    bus: Bus
    clock: MovableClock
    superuser_url: str

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.superuser_url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    async def erasure(self, erasure_id: UUID) -> dict[str, Any]:
        answer = await self.client.get(f"/api/erasures/{erasure_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def state(self, erasure_id: UUID) -> str | None:
        answer = await self.client.get(f"/api/erasures/{erasure_id}")
        return answer.json()["state"] if answer.status_code == 200 else None

    async def wait_state(self, erasure_id: UUID, *states: str) -> None:
        async def reached() -> bool:
            return await self.state(erasure_id) in states

        await wait_for(reached, what=f"the erasure to be {' or '.join(states)}")

    async def answer(self, erasure_id: UUID, service: str, *, remaining: int = 0, erased: int = 3) -> None:
        await self.bus.publish(
            ErasureTaskDoneV1(
                erasure_id=erasure_id,
                service=service,
                erased={"row": erased},
                anonymised={},
                remaining={"row": remaining},
                done_at=self.clock.now(),
            )
        )

    async def answer_all(self, erasure_id: UUID) -> None:
        for service in erasing_services():
            await self.answer(erasure_id, service)

    async def drain(self, consumer: str, stream: str) -> None:
        """Be a service that takes and acknowledges everything its consumer has."""
        subscription = await self.bus.jetstream.pull_subscribe_bind(consumer, stream)
        while not await self.bus.settled(consumer):
            for message in await subscription.fetch(10, timeout=2):
                await message.ack_sync()
        await subscription.unsubscribe()

    async def drain_auth(self) -> None:
        for service in ("scheduler", "publisher", "metrics"):
            await self.drain(f"{service}-auth", "AUTH")

    async def drain_requests(self) -> None:
        """Every service takes the request in; without that its text stays on the bus."""
        for service in erasing_services():
            await self.drain(f"{service}-retention", "RETENTION")

    async def certificate(self, erasure_id: UUID) -> dict[str, Any]:
        keys: Mapping[str, Any] = (await self.client.get("/api/certificate-keys")).json()
        return verify_certificate((await self.erasure(erasure_id))["certificate"], keys)


@pytest.fixture
def start(bus: Bus, clock: MovableClock, running: Running):
    """Start retention with an environment: `async with start(environment) as world`."""

    @asynccontextmanager
    async def started(environment: Mapping[str, str]) -> AsyncIterator[World]:
        async with running(create_app(environment)) as client:
            yield World(client, bus, clock, environment["DATABASE_SUPERUSER_URL_RETENTION"])

    return started


@pytest.fixture
async def world(service_environment: ServiceEnvironment, start) -> AsyncIterator[World]:
    async with start(service_environment("retention")) as world:
        yield world


def revoked(at: datetime, reason: RevocationReason = RevocationReason.DISCONNECTED) -> ConnectionRevokedV2:
    return ConnectionRevokedV2(
        workspace_id=new_id(),
        connection_id=new_id(),
        platform="tiktok",
        reason=reason,
        platform_confirmation=PlatformConfirmation.CONFIRMED,
        revoked_at=at,
        erasure_id=new_id(),
    )


def workspace_deleted() -> WorkspaceDeletedV1:
    return WorkspaceDeletedV1(workspace_id=new_id(), erasure_id=new_id())


def account_deleted() -> AccountDeletedV1:
    return AccountDeletedV1(account_id=new_id(), erasure_id=new_id())


async def requested(world: World, count: int = 1) -> list[ErasureRequestedV1]:
    told = await world.bus.wait_told(ErasureRequestedV1, count)
    return [event for event in told if isinstance(event, ErasureRequestedV1)]
