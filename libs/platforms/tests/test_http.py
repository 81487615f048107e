"""The shared HTTP client: where it may go, and what it says when an answer does not come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from litestar.types import Receive, Scope, Send
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer
from platforms.errors import Misconfigured, OutcomeUnknown, PlatformError, Transient
from platforms.http import create_http_client, no_requests_after
from platforms.registry import register
from platforms.wire import send
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://host.bsky.network/",
        "https://evilhost.bsky.network/",
        "https://bsky.social.example.com/",
        "https://user:word@bsky.social/",
        "http://bsky.social/",
        "http://169.254.169.254/latest/meta-data/",
        "ftp://bsky.social/",
    ],
)
async def test_a_host_that_is_not_listed_is_refused_before_anything_is_sent(url: str) -> None:
    async with create_http_client(dict.fromkeys(("bsky.social", "*.host.bsky.network"), "bluesky")) as http:
        with pytest.raises(Misconfigured, match="refused"):
            await http.get(url)


async def test_the_real_hosts_are_listed_by_default() -> None:
    allowed = register().allowed_hosts
    assert {"open.tiktokapis.com", "*.tiktokapis.com", "bsky.social", "*.host.bsky.network"} <= set(allowed)


async def test_a_sandbox_is_reached_on_its_own_port_only(sandbox: Sandbox) -> None:
    hosts = {urlsplit(sandbox.base_urls["tiktok"]).netloc: "tiktok"}
    async with create_http_client(hosts) as http:
        assert (await http.get(f"{sandbox.base_urls['tiktok']}/nowhere/")).status_code == 404
        with pytest.raises(Misconfigured):
            await http.get(f"{sandbox.base_urls['bluesky']}/nowhere")


async def test_a_redirect_is_an_answer_and_not_followed(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    target = f"{sandbox.base_urls['tiktok']}/elsewhere/"
    sandbox.add_fault("tiktok", "GET /here/", "answer", status=302, headers={"location": target})
    answer = await http.get(f"{sandbox.base_urls['tiktok']}/here/")
    assert answer.status_code == 302
    assert sandbox.requests("tiktok", "GET /elsewhere/") == 0


async def test_who_listens_hears_of_calls_and_may_read_the_answer_first(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    """The specifications are held against what is heard so."""
    heard: list[str] = []

    async def on_request(request: httpx.Request) -> None:
        heard.append(request.method)

    async def on_answer(answer: httpx.Response) -> None:
        heard.append((await answer.aread()).decode())

    http.event_hooks = {"request": [on_request], "response": [on_answer]}
    sandbox.add_fault("tiktok", "GET /here/", "answer", status=200, body={"said": "hello"})
    answer = await send(http, http.build_request("GET", f"{sandbox.base_urls['tiktok']}/here/"))
    assert answer.json() == {"said": "hello"}
    assert heard == ["GET", answer.body.decode()]


async def test_an_address_arrives_as_it_was_written() -> None:
    """A signature covers its spelling, and some platforms take only one spelling of two."""
    arrived = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        arrived.append(scope["raw_path"] + b"?" + scope["query_string"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    server = LoopbackServer()
    await server.start(note)
    written = "/posts/urn%3Ali%3Ashare%3A1?e=(a:urn%3Ali)&b=%2F~x%7E&c=List(1,2)"
    async with create_http_client({urlsplit(server.base_url).netloc: "linkedin"}) as http:
        await http.get(server.base_url + written)
    await server.stop()
    assert arrived == [written.encode()]


async def test_cookies_are_not_carried_from_one_call_to_the_next(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    sandbox.add_fault("tiktok", "GET /here/", "answer", status=200, headers={"set-cookie": "who=one; Path=/"})
    await http.get(f"{sandbox.base_urls['tiktok']}/here/")
    assert not list(http.cookies.jar)


async def test_addresses_are_not_logged(
    sandbox: Sandbox, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await http.get(f"{sandbox.base_urls['tiktok']}/here/?upload_token=hunter2")
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("visible", [True, False])
async def test_a_refused_connection_is_safe_to_repeat_even_on_the_visible_step(visible: bool) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/?token=hunter2"
        async with create_http_client({"127.0.0.1": "tiktok"}) as http:
            with pytest.raises(Transient) as caught:
                await send(http, http.build_request("PUT", url), visible=visible)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("visible", "expected"), [(True, OutcomeUnknown), (False, Transient)])
@pytest.mark.parametrize("moment", ["reset_before", "reset_after"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_connection_lost_after_sending_leaves_a_visible_step_open(
    sandbox: Sandbox,
    http: httpx.AsyncClient,
    visible: bool,
    expected: type[PlatformError],
    moment: str,
    method: str,
) -> None:
    sandbox.add_fault("tiktok", f"{method} /step/", moment)
    request = http.build_request(method, f"{sandbox.base_urls['tiktok']}/step/?token=hunter2", content=_body())
    with pytest.raises(expected) as caught:
        await send(http, request, visible=visible)
    assert "hunter2" not in str(caught.value)
    assert sandbox.requests("tiktok", f"{method} /step/") == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_a_change_whose_connection_is_lost_is_never_repeated_underneath(
    sandbox: Sandbox, http: httpx.AsyncClient, method: str
) -> None:
    """The library below repeats what HTTP calls idempotent, which would hide that nobody knows what happened."""
    sandbox.add_fault("tiktok", f"{method} /changed/", "reset_after")
    request = http.build_request(method, f"{sandbox.base_urls['tiktok']}/changed/", json={"a": 1})
    with pytest.raises(OutcomeUnknown):
        await send(http, request, visible=True)
    assert sandbox.requests("tiktok", f"{method} /changed/") == 1


async def test_an_answer_that_takes_too_long_leaves_a_visible_step_open(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    sandbox.add_fault("tiktok", "POST /step/", "delay", delay_seconds=5)
    request = http.build_request("POST", f"{sandbox.base_urls['tiktok']}/step/")
    with pytest.raises(OutcomeUnknown):
        await send(http, request, visible=True, deadline_seconds=0.05)


async def test_an_endless_answer_is_not_read_to_its_end(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    sandbox.add_fault("tiktok", "GET /large/", "answer", status=200, body="x" * 5_000_000)
    with pytest.raises(Transient, match="no_answer"):
        await send(http, http.build_request("GET", f"{sandbox.base_urls['tiktok']}/large/"))


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider.get_tracer("test")


async def test_a_call_is_a_span_without_its_address_and_the_platform_is_told_nothing_of_it(
    spans: InMemorySpanExporter, tracer: Tracer
) -> None:
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        create_http_client({"127.0.0.1": "tiktok"}, tracer) as http,
    ):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/video/hunter2/?upload_token=hunter2"
        with tracer.start_as_current_span("publish publication") as step:
            await send(http, http.build_request("PUT", url, headers={"Authorization": "Bearer hunter2"}))
    call, _ = spans.get_finished_spans()
    assert (call.name, call.kind) == ("PUT tiktok", SpanKind.CLIENT)
    assert call.attributes == {
        "http.request.method": "PUT",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
    }
    assert call.parent is not None
    assert call.parent.span_id == step.get_span_context().span_id
    assert "hunter2" not in call.to_json()
    (head,) = heads
    assert "hunter2" in head
    assert not {"traceparent", "tracestate", "baggage"} & {line.partition(":")[0].lower() for line in head.splitlines()}
    trace_id, span_id = f"{call.context.trace_id:032x}", f"{call.context.span_id:016x}"
    assert trace_id not in head
    assert span_id not in head


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "answer", "status": 503}, "503"),
        ({"kind": "answer", "status": 401}, "401"),
        ({"kind": "reset_after"}, "ReadError"),
        ({"kind": "delay", "delay_seconds": 5}, "CancelledError"),
    ],
)
async def test_a_call_that_goes_wrong_is_a_span_too_with_the_kind_of_error_alone(
    sandbox: Sandbox, spans: InMemorySpanExporter, tracer: Tracer, fault: dict[str, Any], error: str
) -> None:
    sandbox.add_fault("bluesky", "POST /xrpc/*", **fault)
    async with create_http_client(register(sandbox.base_urls).allowed_hosts, tracer) as http:
        request = http.build_request("POST", f"{sandbox.base_urls['bluesky']}/xrpc/hunter2?token=hunter2")
        with contextlib.suppress(PlatformError):
            await send(http, request, deadline_seconds=0.5)
    (call,) = spans.get_finished_spans()
    assert call.name == "POST bluesky"
    assert (call.attributes or {})["error.type"] == error
    assert call.status.is_ok is False
    assert (call.status.description, call.events) == (None, ())
    assert "hunter2" not in call.to_json()


async def _body() -> AsyncIterator[bytes]:
    yield b"bytes"


async def test_no_request_begins_after_its_time(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    address = f"{sandbox.base_urls['tiktok']}/somewhere"
    with no_requests_after(time.monotonic() + 60):
        assert (await http.get(address)).status_code == 404
        with no_requests_after(time.monotonic()), pytest.raises(Transient, match="not_reached"):
            await send(http, http.build_request("POST", address), visible=True)
        assert (await http.get(address)).status_code == 404
    assert sandbox.requests("tiktok", "POST /somewhere") == 0


async def test_a_time_within_another_one_allows_no_more(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    request = http.build_request("POST", f"{sandbox.base_urls['tiktok']}/somewhere")
    with (
        no_requests_after(time.monotonic()),
        no_requests_after(time.monotonic() + 60),
        pytest.raises(Transient, match="not_reached"),
    ):
        await send(http, request, visible=True)
    assert sandbox.requests("tiktok", "POST /somewhere") == 0
