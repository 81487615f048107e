"""A key-encryption key in HashiCorp Vault's transit engine, over its HTTP API.

The key is a derived one: Vault derives what it encrypts with from the key and our context, so that nothing unwraps
under another context. Associated data would bind as well, but Vault does not take it when it re-wraps.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import time
from dataclasses import dataclass
from typing import Any

import httpx
from kit.secret import Secret

from auth.domain.key_providers import CALL_SECONDS, CONNECT_SECONDS, UNWRAPS_AT_ONCE, TransitPlace
from auth.domain.vault import (
    UNREADABLE,
    KeyUnusable,
    NotOpened,
    VaultDenied,
    VaultSealed,
    VaultUnavailable,
    VaultUnreachable,
    WrappedKey,
)

LEASE_SHARE = 0.6
"""We are let in anew when this share of a token's life has passed."""


class TransitKey:
    """Implements `auth.ports.vault.KeyProvider`."""

    def __init__(self, place: TransitPlace) -> None:
        self._place = place
        headers = {"X-Vault-Request": "true"} | ({"X-Vault-Namespace": place.namespace} if place.namespace else {})
        self._client = httpx.AsyncClient(
            base_url=f"{place.url.rstrip('/')}/v1/",
            headers=headers,
            timeout=httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=UNWRAPS_AT_ONCE, max_keepalive_connections=UNWRAPS_AT_ONCE),
            verify=ssl.create_default_context(cafile=str(place.ca_file) if place.ca_file else None),
            # Only the address that was named is talked to, whoever answers there or sets a proxy.
            follow_redirects=False,
            trust_env=False,
        )
        self._entrance = _Entrance(place, self._client)
        self._binds = False

    async def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        if not self._binds:
            await self._check_binding()
        return await self._encrypt(key, context)

    async def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        data = await self._call("decrypt", ciphertext=wrapped.wrapped_key.decode(), context=_base64(context))
        return base64.b64decode(data["plaintext"])

    async def rewrap(self, wrapped: WrappedKey, *, context: bytes) -> WrappedKey:
        # The data key does not leave Vault for this.
        data = await self._call("rewrap", ciphertext=wrapped.wrapped_key.decode(), context=_base64(context))
        return self._named(data["ciphertext"])

    def wrapped(self, key_id: str) -> bool:
        return key_id.startswith("transit:")

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _encrypt(self, plain: bytes, context: bytes) -> WrappedKey:
        data = await self._call("encrypt", plaintext=_base64(plain), context=_base64(context))
        return self._named(data["ciphertext"])

    async def _check_binding(self) -> None:
        """Vault ignores the context of a key that is not derived, without a word."""
        probe = await self._encrypt(os.urandom(16), b"one")
        try:
            await self.unwrap(probe, context=b"another")
        except NotOpened:
            self._binds = True
            return
        raise KeyUnusable(f"{self._place.key} in Vault is not a derived key, so it binds nothing: make one that is")

    def _named(self, ciphertext: str) -> WrappedKey:
        version = ciphertext.split(":")[1]
        return WrappedKey(ciphertext.encode(), f"transit:{self._place.mount}/{self._place.key}:{version}")

    async def _call(self, action: str, **body: str) -> dict[str, str]:
        path = f"{self._place.mount}/{action}/{self._place.key}"
        token = await self._entrance.token()
        try:
            answer = await _post(self._client, path, body, token)
        except VaultDenied:
            # The token may have been replaced, or have ended before its time.
            renewed = await self._entrance.token(instead_of=token)
            if renewed == token:
                raise
            answer = await _post(self._client, path, body, renewed)
        data: dict[str, str] = answer["data"]
        return data


@dataclass
class _Entrance:
    """How we are let in to Vault: with the token of a file, or with one that a role gets for a pod's own token."""

    place: TransitPlace
    client: httpx.AsyncClient

    def __post_init__(self) -> None:
        self._lock = asyncio.Lock()
        self._token: Secret | None = None
        self._until = 0.0

    async def token(self, *, instead_of: Secret | None = None) -> Secret:
        """The present token; a new one if `instead_of` is it and there is another to be had."""
        async with self._lock:
            if self.place.token_file is not None:
                return _read(str(self.place.token_file))
            if self._token is None or self._token == instead_of or time.monotonic() >= self._until:
                await self._log_in()
            assert self._token is not None
            return self._token

    async def _log_in(self) -> None:
        body = {"role": str(self.place.role), "jwt": _read(str(self.place.account_token_file)).reveal()}
        auth = (await _post(self.client, f"auth/{self.place.login_mount}/login", body, None))["auth"]
        self._token = Secret(auth["client_token"])
        self._until = time.monotonic() + LEASE_SHARE * float(auth["lease_duration"])


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, str], token: Secret | None) -> dict[str, Any]:
    headers = {"X-Vault-Token": token.reveal()} if token else {}
    try:
        response = await client.post(path, json=body, headers=headers)
        document: dict[str, Any] = response.json() if response.content else {}
    except (httpx.HTTPError, ValueError) as error:
        raise VaultUnreachable(f"Vault does not answer as it should ({type(error).__name__})") from None
    if response.status_code == 200:
        return document
    raise _failure(response.status_code, " ".join(str(each) for each in document.get("errors", ())))


def _failure(status: int, told: str) -> VaultUnavailable | NotOpened:
    """What Vault's answer means. Only the one refusal that is about the ciphertext itself condemns it."""
    if status == 400 and "message authentication failed" in told:
        return NotOpened(UNREADABLE)
    if status == 400 and "too old" in told:
        return KeyUnusable("Vault's min_decryption_version forbids the version that wrapped this key")
    if status in (400, 404):
        return KeyUnusable(f"Vault refuses ({status}): is there such a mount, and such a key of type aes256-gcm96?")
    if status == 403:
        return VaultDenied("Vault denies it: is the token valid, and does its policy allow this key?")
    if status == 503 and "sealed" in told:
        return VaultSealed("Vault is sealed")
    return VaultUnreachable(f"Vault answers {status}")


def _read(file: str) -> Secret:
    # Read each time: an agent replaces it, and it is a few bytes in the page cache.
    try:
        with open(file, encoding="utf-8") as opened:
            return Secret(opened.read().strip())
    except OSError:
        raise VaultDenied(f"{file} cannot be read") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
