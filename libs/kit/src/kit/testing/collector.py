"""A collector for tests: takes OTLP over HTTP on a loopback port and keeps every span and count it was sent."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class SeenSpan:
    """One span as a collector sees it. Ids are lower-case hex; a root has no `parent_id`."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str | int]
    failed: bool


@dataclass(frozen=True)
class SeenCount:
    """One count as a collector was told it: the sum since the process began."""

    service: str
    name: str
    attributes: Mapping[str, str | int]
    value: int


class Collector:
    """`with Collector() as collector:` listens at `collector.url`.

    `answer` is the status it gives; while `open` is cleared, it answers nothing. `bodies` is what arrived, as sent.
    """

    def __init__(self) -> None:
        self.spans: list[SeenSpan] = []
        self.counts: list[SeenCount] = []
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()
        self.answer = 200
        self.open = threading.Event()
        self.open.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                with suppress(ConnectionError):  # who asked may have stopped waiting
                    self.send_response(collector.answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *values: object) -> None:
                """Nothing: a test's output is pytest's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.bodies.append(body)
        self.open.wait()
        if self.answer != 200:
            return
        if path == "/v1/metrics":
            self.counts += _counts(ExportMetricsServiceRequest.FromString(body))
        else:
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))

    def ancestry(self, span: SeenSpan) -> list[SeenSpan]:
        """The span and what it came from, the root last; ends early where a parent has not arrived."""
        known = {seen.span_id: seen for seen in self.spans}
        line = [span]
        while (parent := known.get(line[-1].parent_id)) is not None:
            line.append(parent)
        return line

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


def _spans(request: ExportTraceServiceRequest) -> list[SeenSpan]:
    return [
        _seen(str(_plain(resource_spans.resource.attributes)["service.name"]), span)
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def _counts(request: ExportMetricsServiceRequest) -> list[SeenCount]:
    return [
        SeenCount(
            str(_plain(of_service.resource.attributes)["service.name"]),
            metric.name,
            _plain(point.attributes),
            point.as_int,
        )
        for of_service in request.resource_metrics
        for scope in of_service.scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
    ]


def _seen(service: str, span: Span) -> SeenSpan:
    return SeenSpan(
        service=service,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=_plain(span.attributes),
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
    )


def _plain(attributes: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        pair.key: pair.value.int_value if pair.value.HasField("int_value") else pair.value.string_value
        for pair in attributes
    }
