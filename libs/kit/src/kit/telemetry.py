"""Traces: one per journey, from the request over the outbox and the bus to the platform call.

Propagation is W3C trace context. Spans are exported over OTLP/HTTP where an endpoint is set; without one
they still carry the trace id into logs, events and problems.
"""

from __future__ import annotations

from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

log = structlog.get_logger("http")


def create_tracer_provider(service: str, otlp_endpoint: str | None) -> TracerProvider:
    provider = TracerProvider(resource=Resource({"service.name": service, "service.namespace": "signoff"}))
    if otlp_endpoint:
        # 70 ms and several megabytes that only who exports has to pay.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class TraceRequests:
    """ASGI middleware: one server span a request, named by its route, continuing the caller's trace."""

    def __init__(self, app: ASGIApp, tracer: trace.Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        method = scope.get("method", "GET")
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            method, context=propagate.extract(carrier), kind=trace.SpanKind.SERVER
        ) as span:

            async def record(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    span.update_name(f"{scope['method']} {_route(scope)}")
                await send(message)

            span.set_attribute("http.request.method", method)
            await self._app(scope, receive, record)


def _route(scope: Any) -> str:
    """The path template, never the path: ids in span names would make each its own."""
    template: str | None = scope.get("path_template")
    return template or "unmatched"
