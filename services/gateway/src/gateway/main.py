"""The edge put together: who it asks, and the one application it serves."""

from __future__ import annotations

from collections.abc import Mapping

import kit.server
from kit.calls import Transports, create_client
from kit.service import Service
from kit.settings import Environment, SettingError
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider

from gateway.adapters.neighbours import AuthSessions, HttpOwners
from gateway.api import Edge, routes, secure_headers
from gateway.domain.limits import WEBHOOKS_BURST, WEBHOOKS_PER_MINUTE, RateLimit, TooManyRequests
from gateway.domain.routes import MEDIA_BYTES_MAX, OWNERS
from gateway.settings import Settings


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Litestar:
    """The edge, from environment variables. `transports` reaches services that run in the same process."""
    settings = Settings.read(Environment(environment))
    service = Service("gateway", settings.base, transports=transports, tracer_provider=tracer_provider)
    owners = HttpOwners(
        {name: create_client(_url(settings, name, transports or {}), (transports or {}).get(name)) for name in OWNERS},
        service.tracer,
    )
    edge = Edge(
        sessions=AuthSessions(service.neighbour("auth"), service.passports.issue_own),
        owners=owners,
        clock=service.clock,
        rate_limit=RateLimit(burst=settings.attempts_burst, per_minute=settings.attempts_per_minute),
        key_limit=RateLimit(burst=settings.key_burst, per_minute=settings.key_per_minute, refusal=TooManyRequests),
        webhook_limit=RateLimit(burst=WEBHOOKS_BURST, per_minute=WEBHOOKS_PER_MINUTE),
        secure_cookies=settings.secure,
        trusted_proxies=settings.trusted_proxies,
    )
    app = service.app(routes=routes(edge), resources=[lambda: owners], body_bytes_max=MEDIA_BYTES_MAX)
    app.before_send.append(secure_headers(https=settings.secure))
    return app


def _url(settings: Settings, name: str, transports: Transports) -> str:
    url = settings.base.neighbours.get(name) or (f"http://{name}" if name in transports else None)
    if url is None:
        raise SettingError(f"SERVICE_URL_{name.upper()} is not set")
    return url


def run() -> None:
    kit.server.run("gateway", create_app)
