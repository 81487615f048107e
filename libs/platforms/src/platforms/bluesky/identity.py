"""From a handle to the account's own server and the server that authorises it.

Nothing on this way is believed from one side only: a DID's document must name the handle, and a token's
subject must lead back to the server that issued it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from platforms.bluesky.answers import DidDocument, ProtectedResource, ServerMetadata
from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.errors import Misconfigured, Rejected, Transient
from platforms.wire import Answer, converted, send

_HANDLE = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_DID = re.compile(r"did:(plc:[a-z2-7]{24}|web:[a-z0-9.-]{1,250}(%3A\d{1,5})?)")


@dataclass(frozen=True)
class Identity:
    """An account, its handle as its document claims it, and its server's base address."""

    did: str
    handle: str | None
    server: str


class Directory:
    """Looks identities up. Addresses it finds are only called if the HTTP client's list has them."""

    def __init__(self, endpoints: BlueskyEndpoints) -> None:
        self._endpoints = endpoints

    async def resolve_handle(self, http: httpx.AsyncClient, handle: str) -> str | None:
        """The DID behind a handle, or None if nobody has it."""
        url = f"{self._endpoints.appview}/xrpc/com.atproto.identity.resolveHandle"
        answer = await send(http, http.build_request("GET", url, params={"handle": handle}))
        if answer.status == 400:
            return None
        did = _document(answer, "handle resolver").get("did")
        return did if isinstance(did, str) and is_did(did) else None

    async def identify(self, http: httpx.AsyncClient, handle_or_did: str) -> Identity:
        """Find the account a person named, and check that it names the handle back."""
        name = handle_or_did.strip().removeprefix("@").lower()
        if name.startswith("did:"):
            return await self.describe(http, handle_or_did.strip())
        did = await self.resolve_handle(http, name) if is_handle(name) else None
        if did is None:
            raise Rejected("handle_unknown", "no account has this handle", advice="Check the handle's spelling.")
        identity = await self.describe(http, did)
        if identity.handle != name:
            raise Rejected(
                "handle_unconfirmed", "the account does not claim this handle", advice="Enter the account's own handle."
            )
        return identity

    async def describe(self, http: httpx.AsyncClient, did: str) -> Identity:
        """Read a DID's document: `did:plc` from the directory, `did:web` from the host it names."""
        if not is_did(did):
            raise Rejected("did_invalid", "this is not an account's identifier", advice="Enter the account's handle.")
        if did.startswith("did:web:"):
            url = f"https://{did.removeprefix('did:web:').replace('%3A', ':')}/.well-known/did.json"
        else:
            url = f"{self._endpoints.directory}/{did}"
        answer = await send(http, http.build_request("GET", url))
        if answer.status in (404, 410):
            raise Rejected("did_unknown", "the account no longer exists", advice="Enter another account's handle.")
        document = converted(_document(answer, "identity directory"), DidDocument)
        server = document.server()
        if document.id != did or server is None:
            raise Rejected("did_unusable", "the account has no server", advice="Enter another account's handle.")
        return Identity(did, document.handle(), server)

    async def authorisation_server_of(self, http: httpx.AsyncClient, server: str) -> ServerMetadata:
        """Ask an account's server who authorises for it, and that one for its endpoints."""
        resource = converted(await self._well_known(http, server, "oauth-protected-resource"), ProtectedResource)
        if not resource.authorization_servers:
            raise Misconfigured("no_authorisation_server", "the account's server names no authorisation server")
        return await self.authorisation_server(http, resource.authorization_servers[0])

    async def authorisation_server(self, http: httpx.AsyncClient, issuer: str) -> ServerMetadata:
        """A server's own metadata, which must name the server it was fetched from (RFC 8414, 3.3)."""
        metadata = converted(await self._well_known(http, issuer, "oauth-authorization-server"), ServerMetadata)
        if metadata.issuer != issuer:
            raise Misconfigured("issuer_mismatch", "the authorisation server names itself differently")
        return metadata

    async def _well_known(self, http: httpx.AsyncClient, base: str, name: str) -> Mapping[str, Any]:
        answer = await send(http, http.build_request("GET", f"{base.rstrip('/')}/.well-known/{name}"))
        return _document(answer, "account's server")


def is_handle(text: str) -> bool:
    """A domain name, in lower case."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_did(text: str) -> bool:
    """An identifier of one of the two methods there are accounts of."""
    return _DID.fullmatch(text) is not None


def _document(answer: Answer, whose: str) -> Mapping[str, Any]:
    if answer.status == 200:
        return answer.json()
    if answer.status == 429 or answer.status >= 500:
        raise Transient("lookup_failed", f"the {whose} answered with status {answer.status}")
    raise Misconfigured("lookup_refused", f"the {whose} answered with status {answer.status}")
