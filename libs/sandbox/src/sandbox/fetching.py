"""How a platform fetches media from an address: streamed, hashed, not kept; from this machine only."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from urllib.parse import urlsplit

import httpx

from sandbox.truth import PostedMedia

FETCH_SECONDS = 30.0
FETCH_BYTES_MAX = 4_000_000_000

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""This machine is spoken to in plain text; reading the trusted authorities for each file would take 60 ms."""


class NotFetched(Exception):
    """The address gave no file; the message tells why."""


async def fetch(address: str, *, bytes_max: int = FETCH_BYTES_MAX) -> PostedMedia:
    """The file behind an address. Redirects are not followed, as no platform promises to follow them."""
    if not _is_here(address):
        raise NotFetched("the sandbox fetches from this machine only")
    digest, size = hashlib.sha256(), 0
    try:
        async with (
            httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False, verify=NO_AUTHORITIES) as http,
            http.stream("GET", address) as response,
        ):
            if response.status_code != 200:
                raise NotFetched(f"the address answered {response.status_code}")
            async for piece in response.aiter_bytes():
                digest.update(piece)
                size += len(piece)
                if size > bytes_max:
                    raise NotFetched("the file is too large")
            content_type = response.headers.get("content-type", "").partition(";")[0]
    except httpx.HTTPError as error:
        raise NotFetched(f"the address did not answer ({type(error).__name__})") from error
    return PostedMedia(digest.hexdigest(), size, content_type)


def _is_here(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
