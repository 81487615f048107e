"""OpenID Connect Core 1.0, authorisation code flow with PKCE, spoken to the configured providers.

joserfc verifies signatures and authlib the claims of ID tokens; what is sent goes through the guarded HTTP client that
platforms are called with. No token of a provider outlives the call that got it.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry
from kit.clock import Clock
from opentelemetry.trace import Tracer
from platforms.http import create_http_client
from platforms.wire import safe_code

from auth.adapters.openid_issuer import Issuer, Metadata, ask, text_of
from auth.adapters.openid_settings import OpenIdSettings
from auth.domain.accounts import is_address, normalised
from auth.domain.openid import (
    ALGORITHMS,
    SKEW_SECONDS,
    SUBJECT_LENGTH_MAX,
    ConfiguredProvider,
    Journey,
    ProviderUnknown,
    SignInFailed,
    Vouched,
    readable_name,
)

SCOPE = "openid email profile"

log = structlog.get_logger("openid")


class CalledProviders:
    """Implements `auth.ports.openid.Providers` between `open` and its end."""

    def __init__(self, settings: OpenIdSettings, clock: Clock, tracer: Tracer | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._tracer = tracer
        self._client: httpx.AsyncClient | None = None
        self._issuers = {
            name: Issuer(provider, allowed_hosts=settings.allowed_hosts, clock=clock)
            for name, provider in settings.providers.items()
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with create_http_client(self._settings.allowed_hosts, self._tracer) as client:
            self._client = client
            yield

    @property
    def all(self) -> Sequence[ConfiguredProvider]:
        return tuple(self._settings.providers.values())

    def find(self, name: str) -> ConfiguredProvider:
        try:
            return self._settings.providers[name]
        except KeyError:
            raise ProviderUnknown() from None

    async def authorisation_url(self, provider: ConfiguredProvider, journey: Journey, *, afresh: bool) -> str:
        # A megabyte that only who signs in this way has to pay, here and below.
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415

        metadata = await self._issuers[provider.name].metadata(self._http)
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "scope": SCOPE,
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": create_s256_code_challenge(journey.verifier.reveal()),
            "code_challenge_method": "S256",
        }
        if afresh:
            asked |= {"prompt": "login", "max_age": "0"}
        return str(httpx.URL(metadata.authorization_endpoint).copy_merge_params(asked))

    async def redeem(
        self, provider: ConfiguredProvider, journey: Journey, *, code: str, issuer: str | None, afresh: bool
    ) -> Vouched:
        known = self._issuers[provider.name]
        metadata = await known.metadata(self._http)
        if issuer != provider.issuer and (issuer or metadata.authorization_response_iss_parameter_supported):
            raise _failed(provider, "callback_of_another_issuer")
        tokens = await self._exchange(provider, metadata, journey, code)
        claims = await self._verified(provider, tokens, journey, afresh=afresh)
        profile = await self._profile(provider, metadata, tokens, claims)
        email = text_of(profile, "email")
        address = normalised(email) if email and profile.get("email_verified") in (True, "true") else None
        return Vouched(
            issuer=provider.issuer,
            subject=claims["sub"],
            email=address if address and is_address(address) else None,
            full_name=readable_name(profile.get("name")),
            authenticated_at=_moment(claims.get("auth_time")),
        )

    async def _exchange(
        self, provider: ConfiguredProvider, metadata: Metadata, journey: Journey, code: str
    ) -> Mapping[str, Any]:
        """The provider's tokens for the code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_uri,
            "code_verifier": journey.verifier.reveal(),
        }
        headers = {}
        secret = provider.client_secret
        if secret is None:
            form["client_id"] = provider.client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            # Encoded before they are joined, as RFC 6749 says in 2.3.1: a secret can hold a colon.
            pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret.reveal())}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": provider.client_id, "client_secret": secret.reveal()}
        request = self._http.build_request("POST", metadata.token_endpoint, data=form, headers=headers)
        answer = await ask(self._http, request)
        tokens = answer.json()
        if answer.status != httpx.codes.OK:
            raise _failed(provider, "code_refused", error=safe_code(tokens.get("error")))
        return tokens

    async def _verified(
        self, provider: ConfiguredProvider, tokens: Mapping[str, Any], journey: Journey, *, afresh: bool
    ) -> Mapping[str, Any]:
        """The claims of the ID token, with everything checked that OpenID Connect Core 1.0 asks for in 3.1.3.7."""
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415

        try:
            token = await self._decoded(provider, text_of(tokens, "id_token") or "")
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={"iss": {"essential": True, "value": provider.issuer},
                         "aud": {"essential": True, "value": provider.client_id}},
                params={"client_id": provider.client_id, "nonce": journey.nonce, "max_age": afresh,
                        "access_token": text_of(tokens, "access_token")},
            )  # fmt: skip
            claims.validate(now=int(self._clock.now().timestamp()), leeway=SKEW_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise _failed(provider, "id_token_refused", error=type(error).__name__) from error
        if not 0 < len(claims["sub"]) <= SUBJECT_LENGTH_MAX:
            raise _failed(provider, "id_token_refused", error="subject")
        verified: Mapping[str, Any] = claims
        return verified

    async def _decoded(self, provider: ConfiguredProvider, id_token: str) -> jwt.Token:
        issuer, registry = self._issuers[provider.name], JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(id_token, await issuer.keys(self._http), registry=registry)
        except InvalidKeyIdError:
            # The provider has new keys.
            return jwt.decode(id_token, await issuer.keys(self._http, lacking=True), registry=registry)

    async def _profile(
        self, provider: ConfiguredProvider, metadata: Metadata, tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What the provider says about the person: in the ID token or, where that has no address, when asked."""
        access_token = text_of(tokens, "access_token")
        if {"email", "email_verified"} <= claims.keys() or metadata.userinfo_endpoint is None or access_token is None:
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await ask(self._http, self._http.build_request("GET", metadata.userinfo_endpoint, headers=headers))
        profile = answer.json()
        if answer.status != httpx.codes.OK or profile.get("sub") != claims["sub"]:
            raise _failed(provider, "profile_refused")
        return profile

    @property
    def _http(self) -> httpx.AsyncClient:
        assert self._client is not None, "providers are called within `open` only"
        return self._client


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _failed(provider: ConfiguredProvider, reason: str, **facts: str) -> SignInFailed:
    log.warning("openid_sign_in_failed", provider=provider.name, reason=reason, **facts)
    return SignInFailed()
