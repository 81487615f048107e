"""Numbers that a service counts, on their way to the collector that takes its spans.

For what an operator must see without reading logs. Each is told in the log too, so that without a collector nothing is
lost but the sum.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from opentelemetry.metrics import Meter, NoOpMeterProvider

EXPORT_EVERY_MS = 60_000
"""A minute, as collectors expect it: an alarm about letters may be that late."""

EXPORT_SECONDS = 5.0
"""One request with its repetitions. Also what a collector that does not answer may cost at the end of a process."""

_ITS_OWN_LINES = "opentelemetry.exporter.otlp.proto.http.metric_exporter"
"""A logger that repeats itself every minute while a collector is away; `kit.trace_export` tells that once."""


def create_meter(service: str, otlp_endpoint: str | None) -> tuple[Meter, Callable[[], None]]:
    """What a service counts with, and what sends the last counts at its end. Without a collector it does nothing."""
    if not otlp_endpoint:
        return NoOpMeterProvider().get_meter("signoff"), _nothing
    # 120 ms and several megabytes that only who exports has to pay.
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    logging.getLogger(_ITS_OWN_LINES).setLevel(logging.CRITICAL)
    exporter = OTLPMetricExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/metrics", timeout=EXPORT_SECONDS)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=EXPORT_EVERY_MS)
    resource = Resource({"service.name": service, "service.namespace": "signoff"})
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    return provider.get_meter("signoff"), provider.shutdown


def _nothing() -> None:
    """There is nothing to send."""
