"""A publication's steps are one trace: over hours, over restarts, and over what goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import cast

import httpx
import pytest
from kit.calls import Transports
from kit.telemetry import continued, current_traceparent
from kit.testing.services import Running
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from platforms.environment import OfferedPlatforms
from platforms.errors import OutcomeUnknown, Transient
from platforms.platform import Platform
from publisher.main import create_app

from services.publisher.tests.conftest import HOUR, World
from services.publisher.tests.fakes import FakePlatform, raising

Start = Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def start(
    environment: dict[str, str],
    transports: Transports,
    platform: FakePlatform,
    running: Running,
    provider: TracerProvider,
) -> Start:
    """A publisher whose spans are kept; each call is another process."""
    offered = OfferedPlatforms({platform.name: cast("Platform", platform)}, credentials={}, allowed_hosts={})
    return lambda: running(create_app(environment, transports=transports, offered=offered, tracer_provider=provider))


def came_from(span: ReadableSpan, spans: InMemorySpanExporter) -> str | None:
    """The name of the span that a span is part of."""
    parent = span.parent
    return next((s.name for s in spans.get_finished_spans() if parent and s.context.span_id == parent.span_id), None)


async def test_every_step_of_a_publication_continues_the_trace_that_planned_it(
    world: World, start: Start, spans: InMemorySpanExporter, provider: TracerProvider
):
    tracer = provider.get_tracer("scheduler")
    plan = world.plan(ahead=HOUR)
    world.platform.before["stage"].append(raising(Transient("busy", "try again")))
    world.platform.after["publish"].append(raising(OutcomeUnknown("no_answer", "cut")))
    with continued(tracer, "create schedule", None):
        kept = current_traceparent()
        async with start() as client:
            await world.tell(plan.created())
            await world.wait(client, plan, "planned")
    world.clock.advance(HOUR - timedelta(minutes=5))
    async with start() as client:
        await world.wait(client, plan, "staging", code="busy")
        world.clock.advance(timedelta(seconds=5))
        await world.wait(client, plan, "staged")
        with continued(tracer, "announce schedule", kept):
            await world.tell(plan.due())
        await world.wait(client, plan, "published")
    assert kept is not None
    ours = [span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == kept.split("-")[1]]
    steps = Counter((span.name, came_from(span, spans)) for span in ours if span.name.endswith(" publication"))
    assert steps == {
        ("stage publication", "process schedule.created.v1"): 2,
        ("publish publication", "process schedule.due.v1"): 1,
        ("reconcile publication", "process schedule.due.v1"): 1,
    }
    told = {span.name: came_from(span, spans) for span in ours if span.name.startswith("publish publication.")}
    assert told == {
        "publish publication.staged.v1": "stage publication",
        "publish publication.outcome_unknown.v1": "publish publication",
        "publish publication.published.v1": "reconcile publication",
    }


async def test_publications_of_one_moment_keep_to_their_own_traces(
    world: World, start: Start, spans: InMemorySpanExporter, provider: TracerProvider
):
    tracer = provider.get_tracer("scheduler")
    plans = [world.plan() for _ in range(4)]
    traces: set[int] = set()
    async with start() as client:
        for plan in plans:
            with continued(tracer, "announce schedule", None) as span:
                traces.add(span.get_span_context().trace_id)
                await world.tell(plan.due())
        for plan in plans:
            await world.wait(client, plan, "published")
    for step in ("stage publication", "publish publication"):
        assert Counter(s.context.trace_id for s in spans.get_finished_spans() if s.name == step) == Counter(traces)
