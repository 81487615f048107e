"""Logs are JSON lines of facts. What could be a secret is taken out before a line is written."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger

from kit.secret import Secret

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"token|secret|password|passwd|authorization|cookie|api[_-]?key|private|verifier|credential|dpop|upload_url|jwt|seed",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"(?i:\b(?:bearer|dpop|basic)\s+)[\w.~+/=-]{8,}"  # an authorisation header
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # a JWT
    r"|\b(?:act|rft|clt)\.[\w!*.-]{6,}"  # TikTok tokens
    r"|\bso_[0-9A-Za-z]{8}_[0-9A-Za-z]{8,}"  # an API key of ours, whole or cut
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # the user and password of a URL
)
_SECRET_QUERY = re.compile(r"(?i)([?&](?:[\w-]*token|code|state|sig|signature|key|upload_id)=)[^&\s\"']+")


def redact(value: Any, name: str = "") -> Any:
    """The value without what could be a secret, judged by its name and its look."""
    if isinstance(value, Secret):
        return REDACTED
    if name and _SECRET_NAME.search(name) and value is not None and not isinstance(value, bool):
        return REDACTED
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _SECRET_QUERY.sub(rf"\1{REDACTED}", _SECRET_TEXT.sub(REDACTED, value))
    if value is None or isinstance(value, bool | int | float):
        return value
    # Whatever else it is would be written as its text, after we have looked.
    return redact(str(value))


def _redact_line(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {key: redact(value, key) for key, value in line.items()}


def _add_trace(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = f"{context.trace_id:032x}"
    return line


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...


def configure(stream: Stream | None = None, *, level: int = logging.INFO) -> None:
    """Send every log of the process, ours and the libraries', as JSON lines to `stream` (default: stderr)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        structlog.processors.format_exc_info,
        _redact_line,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their lines at INFO repeat every request with its URL.
    for chatty in ("httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
