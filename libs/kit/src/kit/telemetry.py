"""Traces: one per journey, from the request over the outbox and the bus to the platform call.

Propagation is W3C trace context. Work that a loop does later keeps the trace of what caused it in its row.
Without a collector nothing is recorded, but every trace still has its ids: logs, events and problems carry
them. `docs/tracing.md` shows a trace and says what is never in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT_LENGTH = 55
"""Characters of a `traceparent` of version 00, the only one there is (W3C Trace Context, 3.2.2)."""

_LIMITS = SpanLimits(max_span_attributes=16, max_span_attribute_length=128, max_events=4, max_links=4)
"""A span of ours has four attributes at most, each a word, a number or a host name."""

# State of the trace's vendors (`tracestate`) and baggage are not passed on: an outsider could fill them.
_TRACE_CONTEXT = TraceContextTextMapPropagator()
TRACEPARENT = "traceparent"

_NOT_RECORDED = "-00"


def create_tracer_provider(service: str, otlp_endpoint: str | None, share: float = 1.0) -> TracerProvider:
    """What gives a service its spans. `share` of the traces that begin here are recorded, from 0 to 1; of a trace
    that began elsewhere, that was decided there."""
    resource = Resource({"service.name": service, "service.namespace": "signoff"})
    if not otlp_endpoint:
        # Ids alone cost half as much as a record that nobody reads.
        return TracerProvider(sampler=ALWAYS_OFF, resource=resource, shutdown_on_exit=False)
    # 70 ms and several megabytes that only who exports has to pay.
    from kit.trace_export import create_processor  # noqa: PLC0415

    sampler = ParentBased(TraceIdRatioBased(share))
    provider = TracerProvider(sampler=sampler, resource=resource, span_limits=_LIMITS)
    provider.add_span_processor(create_processor(otlp_endpoint))
    return provider


def current_traceparent() -> str | None:
    """The span of this moment as a header's value, to be kept with work that is done later."""
    carrier: dict[str, str] = {}
    _TRACE_CONTEXT.inject(carrier)
    return carrier.get(TRACEPARENT)


def is_recorded(traceparent: str | None) -> bool:
    """Whether anybody may see spans of this trace. Where it began it was decided, and its flags say so: all that make
    spans for others keep to it, and can leave out what nobody sees."""
    return traceparent is None or not traceparent.endswith(_NOT_RECORDED)


def continued(tracer: trace.Tracer, name: str, traceparent: str | None) -> AbstractContextManager[trace.Span]:
    """One span in the trace that was kept; without one (an older row), in a trace of its own. Where nobody records it,
    the span is the one that was kept."""
    parent = _context_of(traceparent)
    if traceparent is not None and not is_recorded(traceparent):
        return _within(parent)
    return opened_span(tracer, name, parent=parent)


@contextmanager
def _within(context: Context) -> Iterator[trace.Span]:
    token = attach(context)
    try:
        yield trace.get_current_span(context)
    finally:
        detach(token)


@contextmanager
def opened_span(
    tracer: trace.Tracer,
    name: str,
    *,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    parent: Context | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[trace.Span]:
    """One span for the block. An error leaves its type on it, never its text, which may quote anything."""
    span = tracer.start_span(name, parent, kind, attributes)
    # Not `start_as_current_span`, which does the same within two more generators.
    token = attach(trace.set_span_in_context(span))
    try:
        yield span
    except BaseException as error:
        mark_failed(span, type(error).__name__)
        raise
    finally:
        detach(token)
        span.end()


def mark_failed(span: trace.Span, kind: str) -> None:
    """Say that what the span stands for went wrong: an error's type or a status code."""
    span.set_attribute("error.type", kind)
    span.set_status(trace.StatusCode.ERROR)


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
        with opened_span(
            self._tracer,
            method,
            kind=trace.SpanKind.SERVER,
            parent=_context_of(_traceparent_of(scope)),
            attributes={"http.request.method": method},
        ) as span:

            async def record(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set_attribute("http.response.status_code", status)
                    span.update_name(f"{method} {_route(scope)}")
                    if status >= 500:
                        mark_failed(span, str(status))
                await send(message)

            await self._app(scope, receive, record)


def _traceparent_of(scope: Any) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)


def _context_of(traceparent: str | None) -> Context:
    """The parent that a header's value names; none if it is absent or not well formed."""
    if traceparent is None or len(traceparent) != TRACEPARENT_LENGTH:
        return Context()
    return _TRACE_CONTEXT.extract({TRACEPARENT: traceparent}, Context())


def _route(scope: Any) -> str:
    """The path template, never the path: ids in span names would make each its own."""
    template: str | None = scope.get("path_template")
    return template or "unmatched"
