"""DPoP (RFC 9449): every request is signed with the session's own key, with the server's latest nonce.

Nonces are a cache, not state: without one a request costs one more round trip.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey
from kit.clock import Clock
from kit.secret import Secret

from platforms.wire import DEADLINE_SECONDS, Answer, send

SERVERS_MAX = 1000


def create_key() -> Secret:
    """A new P-256 private key as JWK JSON. One per session; it leaves the vault only for a call."""
    return Secret(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))


def create_proof(
    key: Secret, *, method: str, url: httpx.URL, nonce: str | None, access_token: Secret | None, clock: Clock
) -> str:
    """The proof for one request. `htu` leaves out query and fragment (RFC 9449, 4.2)."""
    private = ECKey.import_key(json.loads(key.reveal()))
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": private.as_dict(private=False)}
    claims: dict[str, object] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": str(url.copy_with(query=None, fragment=None)),
        "iat": int(clock.now().timestamp()),
    }
    if nonce:
        claims["nonce"] = nonce
    if access_token is not None:
        digest = hashlib.sha256(access_token.reveal().encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return jwt.encode(header, claims, private, algorithms=["ES256"])


class NonceBook:
    """The latest nonce of every server, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._nonces: OrderedDict[str, str] = OrderedDict()

    def of(self, url: httpx.URL) -> str | None:
        return self._nonces.get(_origin(url))

    def adopt(self, url: httpx.URL, headers: Mapping[str, str]) -> None:
        """Remember the nonce an answer brought, whatever else it says."""
        nonce = headers.get("dpop-nonce")
        if nonce:
            self._nonces[_origin(url)] = nonce
            self._nonces.move_to_end(_origin(url))
            if len(self._nonces) > SERVERS_MAX:
                self._nonces.popitem(last=False)


@dataclass(frozen=True)
class Signer:
    """Sends requests signed for one session."""

    http: httpx.AsyncClient
    clock: Clock
    nonces: NonceBook
    key: Secret
    access_token: Secret | None = None

    async def send(
        self,
        build: Callable[[], httpx.Request],
        *,
        visible: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Answer:
        """Send what `build` makes; if the server wants another nonce, build and send it once more.

        A request refused for its nonce was not executed, so the repetition is safe on every step.
        """
        answer = await self._send_once(build(), visible=visible, deadline_seconds=deadline_seconds)
        if _wants_nonce(answer):
            answer = await self._send_once(build(), visible=visible, deadline_seconds=deadline_seconds)
        return answer

    async def _send_once(self, request: httpx.Request, *, visible: bool, deadline_seconds: float) -> Answer:
        request.headers["DPoP"] = create_proof(
            self.key,
            method=request.method,
            url=request.url,
            nonce=self.nonces.of(request.url),
            access_token=self.access_token,
            clock=self.clock,
        )
        if self.access_token is not None:
            request.headers["Authorization"] = f"DPoP {self.access_token.reveal()}"
        answer = await send(self.http, request, visible=visible, deadline_seconds=deadline_seconds)
        self.nonces.adopt(request.url, answer.headers)
        return answer


def _wants_nonce(answer: Answer) -> bool:
    if answer.status not in (400, 401) or not answer.headers.get("dpop-nonce"):
        return False
    challenge = answer.headers.get("www-authenticate", "")
    return answer.json().get("error") == "use_dpop_nonce" or 'error="use_dpop_nonce"' in challenge


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"
