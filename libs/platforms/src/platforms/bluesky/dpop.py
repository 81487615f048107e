"""DPoP (RFC 9449): every request is signed with the session's own key, with the server's latest nonce.

A proof also says when it was made. A server refuses one whose time is minutes from its own, which says nothing of the
grant: the proof is made anew by the server's clock. That is no risk, because a proof is good for one address only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey
from kit.clock import Clock
from kit.secret import Secret

from platforms.bluesky.servers import Servers
from platforms.wire import DEADLINE_SECONDS, Answer, send


def create_key() -> Secret:
    """A new P-256 private key as JWK JSON. One per session; it leaves the vault only for a call."""
    return Secret(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))


def create_proof(
    key: Secret, *, method: str, url: httpx.URL, nonce: str | None, access_token: Secret | None, now: datetime
) -> str:
    """The proof for one request. `htu` leaves out query and fragment (RFC 9449, 4.2)."""
    private = ECKey.import_key(json.loads(key.reveal()))
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": private.as_dict(private=False)}
    claims: dict[str, object] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": str(url.copy_with(query=None, fragment=None)),
        "iat": int(now.timestamp()),
    }
    if nonce:
        claims["nonce"] = nonce
    if access_token is not None:
        digest = hashlib.sha256(access_token.reveal().encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return jwt.encode(header, claims, private, algorithms=["ES256"])


@dataclass(frozen=True)
class Signer:
    """Sends requests signed for one session."""

    http: httpx.AsyncClient
    clock: Clock
    servers: Servers
    key: Secret
    access_token: Secret | None = None

    async def send(
        self,
        build: Callable[[], httpx.Request],
        *,
        visible: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Answer:
        """Send what `build` makes; build and send it once more for another nonce, and once more for another time.

        A request whose proof is refused was not executed, so the repetition is safe on every step.
        """
        nonces, clocks = 1, 1
        while True:
            request = build()
            answer = await self._send_once(request, visible=visible, deadline_seconds=deadline_seconds)
            if nonces and _wants_nonce(answer):
                nonces -= 1
            elif clocks and _refuses_proof(answer) and self._follow_clock(request.url, answer):
                clocks -= 1
            else:
                return answer

    async def _send_once(self, request: httpx.Request, *, visible: bool, deadline_seconds: float) -> Answer:
        request.headers["DPoP"] = create_proof(
            self.key,
            method=request.method,
            url=request.url,
            nonce=self.servers.nonce(request.url),
            access_token=self.access_token,
            now=self.servers.time(request.url, self.clock.now()),
        )
        if self.access_token is not None:
            request.headers["Authorization"] = f"{BOUND_TO_KEY} {self.access_token.reveal()}"
        answer = await send(self.http, request, visible=visible, deadline_seconds=deadline_seconds)
        self.servers.adopt_nonce(request.url, answer.headers)
        return answer

    def _follow_clock(self, url: httpx.URL, answer: Answer) -> bool:
        return self.servers.adopt_clock(url, answer.headers, self.clock.now())


BOUND_TO_KEY = "DPoP"
"""The type of token that is worth nothing without its key."""


def _wants_nonce(answer: Answer) -> bool:
    return bool(answer.headers.get("dpop-nonce")) and _is_refused_for(answer, "use_dpop_nonce")


def _refuses_proof(answer: Answer) -> bool:
    return _is_refused_for(answer, "invalid_dpop_proof")


def _is_refused_for(answer: Answer, word: str) -> bool:
    """Authorisation servers say it in the body, data servers in the challenge."""
    if answer.status not in (400, 401):
        return False
    return answer.json().get("error") == word or f'error="{word}"' in answer.headers.get("www-authenticate", "")
