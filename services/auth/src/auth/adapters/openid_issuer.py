"""What an OpenID provider says about itself: its endpoints and its keys, asked for seldom and believed for an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from kit.clock import Clock
from platforms.errors import PlatformError
from platforms.http import refuse_unlisted
from platforms.wire import Answer, send

from auth.domain.openid import STEP_SECONDS, ConfiguredProvider, ProviderUnavailable

BELIEVED = timedelta(hours=1)
"""How long endpoints and keys are taken for granted: a key that was withdrawn is trusted no longer than this."""

ASK_KEYS_AGAIN = timedelta(seconds=30)
"""A token signed with an unknown key makes us look for new ones, at most this often, whoever sends such tokens."""

log = structlog.get_logger("openid")


class Metadata(msgspec.Struct, frozen=True):
    """What we use of a discovery document (OpenID Connect Discovery 1.0, section 3; RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Issuer:
    """One provider's endpoints and keys."""

    def __init__(self, provider: ConfiguredProvider, *, allowed_hosts: Mapping[str, str], clock: Clock) -> None:
        self._provider = provider
        self._allowed_hosts = allowed_hosts
        self._clock = clock
        self._metadata: Metadata | None = None
        self._metadata_until: datetime | None = None
        self._keys: KeySet | None = None
        self._keys_asked_at: datetime | None = None

    async def metadata(self, http: httpx.AsyncClient) -> Metadata:
        now = self._clock.now()
        if self._metadata is None or self._metadata_until is None or now >= self._metadata_until:
            address = self._provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            self._metadata = self._checked(await ask(http, http.build_request("GET", address)))
            self._metadata_until = now + BELIEVED
        return self._metadata

    async def keys(self, http: httpx.AsyncClient, *, lacking: bool = False) -> KeySet:
        """The provider's keys; `lacking`: the ones that are known were not enough."""
        now = self._clock.now()
        held_for = BELIEVED if not lacking else ASK_KEYS_AGAIN
        if self._keys is None or self._keys_asked_at is None or now >= self._keys_asked_at + held_for:
            metadata = await self.metadata(http)
            document = (await ask(http, http.build_request("GET", metadata.jwks_uri))).json()
            try:
                self._keys = KeySet.import_key_set(dict(document))  # type: ignore[arg-type]  # it checks what it reads
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise _unusable("keys_malformed", self._provider) from error
            self._keys_asked_at = now
        return self._keys

    def _checked(self, answer: Answer) -> Metadata:
        """Raise `ProviderUnavailable` unless it is this issuer's own document, with addresses that may be called."""
        try:
            metadata = msgspec.convert(answer.json(), Metadata)
        except msgspec.ValidationError as error:
            raise _unusable("discovery_malformed", self._provider) from error
        if metadata.issuer != self._provider.issuer:
            raise _unusable("discovery_of_another_issuer", self._provider)
        endpoints = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
        try:
            for endpoint in (*endpoints, metadata.userinfo_endpoint or metadata.token_endpoint):
                refuse_unlisted(httpx.URL(endpoint), self._allowed_hosts)
        except (PlatformError, httpx.InvalidURL) as error:
            raise _unusable("endpoint_refused", self._provider) from error
        return metadata


async def ask(http: httpx.AsyncClient, request: httpx.Request) -> Answer:
    """The answer of a provider, unless it is none. Raises `ProviderUnavailable`."""
    try:
        answer = await send(http, request, deadline_seconds=STEP_SECONDS)
    except PlatformError as error:
        log.warning("provider_not_reached", host=request.url.host, reason=error.code)
        raise ProviderUnavailable() from error
    if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR or answer.status == httpx.codes.TOO_MANY_REQUESTS:
        log.warning("provider_not_reached", host=request.url.host, reason=str(answer.status))
        raise ProviderUnavailable()
    return answer


def _unusable(reason: str, provider: ConfiguredProvider) -> ProviderUnavailable:
    log.error("provider_unusable", provider=provider.name, reason=reason)
    return ProviderUnavailable()


def text_of(document: Mapping[str, Any], name: str) -> str | None:
    """A member of an answer, if it is text with something in it."""
    value = document.get(name)
    return value if isinstance(value, str) and value else None
