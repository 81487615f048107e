"""Spans on their way to the collector: in batches, from a thread of their own, without any text of an error.

A collector that is away costs spans and nothing else: no request waits for it, the queue has an end, and the
log says once that it is away and once that it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

log = structlog.get_logger("tracing")

QUEUE_MAX = 2_048
"""Spans that wait for the collector, 2 to 3 KB each. Of more, the oldest are dropped."""

BATCH_MAX = 512
"""Spans in one request: about 100 KB."""

DELAY_MS = 1_000
"""How long a span waits for company: a trace can be read while its journey goes on."""

EXPORT_SECONDS = 5.0
"""One request with its repetitions. Also what a collector that does not answer may cost at the end of a process."""

_ITS_OWN_LINES = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")
"""Loggers that repeat themselves with every batch while a collector is away; ours tells it once."""


def create_processor(otlp_endpoint: str) -> BatchSpanProcessor:
    """Export to the collector at this base address, by OTLP over HTTP."""
    for name in _ITS_OWN_LINES:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    return _Batches(Export(exporter))


class Export(SpanExporter):
    """Hands spans to another exporter, bare of texts, and tells when it stops and begins to take them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0
        self.ending = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.ending and self._lost:
            # What was not taken while there was time is not waited for at the end.
            return SpanExportResult.FAILURE
        result = self._exporter.export([_bare(span) for span in spans])
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.info("traces_exported_again", lost=self._lost)
            self._lost = 0
            return result
        if not self._lost:
            log.warning("traces_not_exported")
        self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Batches(BatchSpanProcessor):
    def __init__(self, export: Export) -> None:
        super().__init__(
            export, max_queue_size=QUEUE_MAX, max_export_batch_size=BATCH_MAX, schedule_delay_millis=DELAY_MS
        )
        self._export = export

    def shutdown(self) -> None:
        self._export.ending = True
        super().shutdown()  # type: ignore[no-untyped-call]  # the library says no types here


def _bare(span: ReadableSpan) -> ReadableSpan:
    """The span without the texts of errors, which quote what they were about: a row, an address, a token.

    Ours have none; this is for whoever opens a span with the library's defaults. The error's type is kept.
    """
    if not span.events and span.status.description is None:
        return span
    attributes = dict(span.attributes or {})
    for event in span.events:
        if kind := (event.attributes or {}).get("exception.type"):
            attributes.setdefault("error.type", kind)
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
