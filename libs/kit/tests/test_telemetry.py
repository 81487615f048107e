"""Traces: ids without a collector, spans with one, and a journey that goes on from where it was kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from kit import trace_export
from kit.calls import InProcess
from kit.problems import EXCEPTION_HANDLERS, Conflict
from kit.service import Service
from kit.settings import Environment, ServiceSettings
from kit.telemetry import TraceRequests, continued, create_tracer_provider, current_traceparent
from kit.testing import wait_for
from kit.testing.collector import Collector
from kit.testing.services import Running
from litestar import Litestar, get
from litestar.params import FromPath
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

Logged = Callable[[], list[dict[str, Any]]]

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID = CALLER.split("-")[1]
ROW = "Failing row contains (someone@example.com)"


class Taken(Conflict):
    code = "taken"


@get("/things/{thing:str}")
async def show(thing: FromPath[str]) -> str | None:
    structlog.get_logger("test").info("thing_shown")
    if thing == "taken":
        raise Taken()
    return current_traceparent()


async def ask(tracer: Tracer, thing: str, **headers: str) -> httpx.Response:
    """One request to a small application whose requests are traced."""
    traced = Litestar(
        [show],
        middleware=[lambda app: TraceRequests(app, tracer)],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    async with httpx.AsyncClient(transport=InProcess({"app": traced}, "app"), base_url="http://app") as client:
        return await client.get(f"/things/{thing}", headers=headers)


@pytest.fixture
def idle() -> Tracer:
    """The tracer of a service without a collector."""
    return create_tracer_provider("content", None).get_tracer("test")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture
def exporting(collector: Collector) -> Iterator[TracerProvider]:
    """A service whose spans go to the collector."""
    provider = create_tracer_provider("content", collector.url)
    yield provider
    collector.open.set()
    provider.shutdown()


async def test_without_a_collector_a_callers_trace_is_in_the_problem_the_log_and_what_is_passed_on(
    idle: Tracer, logged: Logged
):
    passed_on = (await ask(idle, "seen", traceparent=CALLER)).text
    problem = (await ask(idle, "taken", traceparent=CALLER)).json()
    assert passed_on.split("-")[1] == problem["trace_id"] == TRACE_ID
    assert passed_on.split("-")[2] != CALLER.split("-")[2]
    assert {line["trace_id"] for line in logged() if line["event"] == "thing_shown"} == {TRACE_ID}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        CALLER.replace("-", "_"),
        CALLER + "-and-more",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        "x" * 55,
        "x" * 600,
    ],
)
async def test_a_request_without_a_proper_trace_begins_one_and_says_nothing(
    idle: Tracer, logged: Logged, header: str | None
):
    headers = {} if header is None else {"traceparent": header}
    first, second = [(await ask(idle, "seen", **headers)).text for _ in range(2)]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", first)
    assert len({first.split("-")[1], second.split("-")[1], TRACE_ID}) == 3
    assert {line["event"] for line in logged()} == {"thing_shown"}


def test_without_a_collector_nothing_is_recorded(idle: Tracer):
    with continued(idle, "stage publication", CALLER) as span:
        assert not span.is_recording()
        assert span.get_span_context().is_valid


def test_work_done_later_goes_on_in_the_trace_that_was_kept(idle: Tracer):
    with continued(idle, "request", None):
        kept = current_traceparent()
    assert kept is not None
    assert current_traceparent() is None
    with continued(idle, "stage publication", kept):
        later = current_traceparent()
        with continued(idle, "another row", None):
            other = current_traceparent()
    assert later is not None
    assert later.split("-")[1] == kept.split("-")[1]
    assert later.split("-")[2] != kept.split("-")[2]
    # A row without a trace does not fall into the one that happens to be open.
    assert other is not None
    assert other.split("-")[1] != kept.split("-")[1]


async def test_a_collector_gets_the_request_and_what_was_done_in_it(collector: Collector, exporting: TracerProvider):
    tracer = exporting.get_tracer("test")
    kept = (await ask(tracer, "seen", traceparent=CALLER)).text
    with continued(tracer, "stage publication", kept):
        pass
    exporting.force_flush()
    assert collector.paths == {"/v1/traces"}
    server, later = collector.spans
    assert (server.service, server.name, server.kind) == ("content", "GET /things/{thing}", "server")
    assert server.attributes == {"http.request.method": "GET", "http.response.status_code": 200}
    assert (later.name, later.kind) == ("stage publication", "internal")
    assert {server.trace_id, later.trace_id} == {TRACE_ID}
    assert server.parent_id == CALLER.split("-")[2]
    assert collector.ancestry(later) == [later, server]


@pytest.mark.parametrize(("share", "seen"), [("1", ["GET /things/{thing}"]), ("0", [])])
async def test_a_service_sends_its_share_and_the_last_of_it_when_it_ends(
    collector: Collector, keys_folder: Path, running: Running, share: str, seen: list[str]
):
    variables = {
        "SIGNING_KEY_FILE_GATEWAY": str(keys_folder / "gateway.signing.pem"),
        "TRUSTED_KEYS_FILE": str(keys_folder / "trusted.jwks.json"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_TRACES_SAMPLER_ARG": share,
    }
    settings = ServiceSettings.read(Environment(variables), "gateway", has_database=False)
    async with running(Service("gateway", settings).app(routes=[show])) as client:
        assert (await client.get("/things/seen")).status_code == 200
    assert [span.name for span in collector.spans] == seen


def test_an_error_leaves_its_type_and_never_its_text(collector: Collector, exporting: TracerProvider):
    tracer = exporting.get_tracer("test")
    with pytest.raises(ValueError, match="Failing row"), continued(tracer, "ours", None):
        raise ValueError(ROW)
    with pytest.raises(ValueError, match="Failing row"), tracer.start_as_current_span("with the library's defaults"):
        raise ValueError(ROW)
    exporting.force_flush()
    assert [(span.failed, span.attributes) for span in collector.spans] == [(True, {"error.type": "ValueError"})] * 2
    assert all(b"example.com" not in body and b"Traceback" not in body for body in collector.bodies)


def test_a_share_of_the_traces_is_recorded_and_a_callers_choice_is_kept(collector: Collector):
    provider = create_tracer_provider("content", collector.url, 0.25)
    tracer = provider.get_tracer("test")
    for _ in range(400):
        with continued(tracer, "begun here", None):
            kept = current_traceparent()
            with continued(tracer, "later", kept):
                pass
    for flags in ("00", "01"):
        with continued(tracer, f"caller {flags}", CALLER[:-2] + flags):
            pass
    provider.shutdown()
    names = [span.name for span in collector.spans]
    assert 50 < names.count("begun here") < 150
    assert names.count("later") == names.count("begun here")
    assert [name for name in names if name.startswith("caller")] == ["caller 01"]


async def test_a_collector_that_is_away_is_told_of_once_and_again_when_it_is_back(
    collector: Collector, exporting: TracerProvider, logged: Logged
):
    tracer = exporting.get_tracer("test")

    def export(times: int) -> None:
        for _ in range(times):
            with continued(tracer, "work", None):
                pass
            exporting.force_flush()

    collector.answer = 400
    export(3)
    collector.answer = 200
    export(2)
    lines = [(line["level"], line["event"], line.get("lost")) for line in logged()]
    assert lines == [("warning", "traces_not_exported", None), ("info", "traces_exported_again", 3)]
    assert len(collector.spans) == 2


async def test_a_collector_that_does_not_answer_holds_up_nobody_and_the_queue_has_an_end(
    collector: Collector, exporting: TracerProvider
):
    tracer = exporting.get_tracer("test")
    collector.open.clear()
    for _ in range(trace_export.BATCH_MAX):
        tracer.start_span("first").end()
    await wait_for(lambda: collector.bodies, what="the request that is not answered")
    for _ in range(trace_export.QUEUE_MAX * 3):
        tracer.start_span("work").end()
    # All of them have ended while the one request is still open.
    assert len(collector.bodies) == 1
    assert collector.spans == []
    collector.open.set()
    exporting.force_flush()
    assert sum(span.name == "work" for span in collector.spans) == trace_export.QUEUE_MAX


def test_a_process_ends_although_its_collector_does_not_answer(collector: Collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trace_export, "EXPORT_SECONDS", 0.5)
    provider = create_tracer_provider("content", collector.url)
    tracer = provider.get_tracer("test")
    collector.open.clear()
    for _ in range(trace_export.QUEUE_MAX):
        tracer.start_span("work").end()
    provider.shutdown()
    # The batch that was under way, and at most one that was begun before the end; four were waiting.
    assert 1 <= len(collector.bodies) <= 2
