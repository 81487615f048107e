"""A service's part in an erasure, on real servers: done once a request, and again if the request comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit import inbox
from kit.broker import attach, create_broker
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.erasure import DataMap, Delete, Eraser, Kind, Table
from kit.ids import new_id
from kit.relay import Relay
from kit.testing.services import Bus
from opentelemetry import trace

DATA_MAP = DataMap(
    "scheduler",
    tables=[
        Table(
            "effect",
            "",
            "",
            {"id": Kind.ID, "workspace_id": Kind.ID, "post_id": Kind.ID},
            {SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s")},
        )
    ],
)


@asynccontextmanager
async def erasing(bus: Bus, url: str, database: Database) -> AsyncIterator[None]:
    eraser = Eraser(database, DATA_MAP)
    broker = create_broker("scheduler", url, seed_file=None, middlewares=[inbox.InboxMiddleware(database)])
    attach(broker, eraser.subscription())
    await broker.start()
    relay = Relay(database, bus.jetstream, trace.get_tracer("test"))
    tasks = [asyncio.ensure_future(eraser.loop().run()), asyncio.ensure_future(relay.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await broker.stop()


async def test_a_repeated_request_erases_what_a_restore_brought_back(
    bus: Bus, nats_url: str, database: Database, units: Units[Transaction]
):
    mine, other = new_id(), new_id()

    async def add() -> None:
        async with units(Scope.worker()) as transaction:
            for workspace_id in (mine, other):
                await transaction.execute(
                    "INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)", (workspace_id, new_id())
                )

    request = ErasureRequestedV1(
        erasure_id=new_id(),
        subject_kind=SubjectKind.WORKSPACE,
        subject_id=mine,
        due_at=SystemClock().now() + timedelta(days=30),
    )
    async with erasing(bus, nats_url, database):
        for times in (1, 2):
            await add()
            await bus.publish(request)
            told = await bus.wait_told(ErasureTaskDoneV1, times)
    assert [(e.erased, e.remaining) for e in told if isinstance(e, ErasureTaskDoneV1)] == [
        ({"effect": 1}, {"effect": 0})
    ] * 2
    async with units(Scope.worker()) as transaction:
        assert set(await transaction.scalars("SELECT workspace_id FROM effect")) == {other}
        assert await transaction.scalars("SELECT subject_id FROM erasure_task") == [request.erasure_id]
