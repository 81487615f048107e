"""The server's side of DPoP (RFC 9449): signature, method, address, time, nonce, replay, token hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from kit.clock import Clock

from sandbox.bluesky.answers import AnyRequest
from sandbox.tuning import Tuning

PROOF_AGE_SECONDS_MAX = 190
"""Ten seconds, and the three minutes that the reference server allows clocks to differ."""


class ProofRefused(Exception):
    """`use_dpop_nonce` or `invalid_dpop_proof`."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(error)
        self.error = error
        self.detail = detail


class ProofChecker:
    """Shared by the authorisation server and the data server, which live on one port here."""

    def __init__(self, base_url: str, clock: Clock, tuning: Tuning) -> None:
        self._base_url = base_url
        self._clock = clock
        self._tuning = tuning
        self._secret = secrets.token_bytes(32)
        self._seen: dict[str, datetime] = {}

    def nonce(self, *, windows_ago: int = 0) -> str:
        """The nonce of the present window of time, or of one before it."""
        window = int(self._clock.now().timestamp() // self._tuning.nonce_seconds) - windows_ago
        return hmac.new(self._secret, str(window).encode(), hashlib.sha256).hexdigest()[:32]

    def forget_nonces(self) -> None:
        """Make every nonce handed out so far stale at once."""
        self._secret = secrets.token_bytes(32)

    def check(self, request: AnyRequest, *, access_token: str | None = None) -> str:
        """Verify a request's proof; returns the thumbprint of its key."""
        proof = request.headers.get("dpop", "")
        try:
            header = jws.extract_compact(proof.encode()).headers()
            key = ECKey.import_key(header["jwk"])
            claims = jwt.decode(proof, key, algorithms=["ES256"]).claims
        except (JoseError, KeyError, ValueError, TypeError):
            raise ProofRefused("invalid_dpop_proof", "DPoP proof required") from None
        if header.get("typ") != "dpop+jwt" or "d" in header["jwk"]:
            raise ProofRefused("invalid_dpop_proof", "Malformed DPoP proof header")
        self._check_claims(request, claims, access_token)
        return key.thumbprint()

    def _check_claims(self, request: AnyRequest, claims: dict[str, Any], access_token: str | None) -> None:
        now = self._clock.now()
        address = self._base_url + request.scope["path"]
        if claims.get("htm") != request.method or claims.get("htu") != address:
            raise ProofRefused("invalid_dpop_proof", "DPoP htm or htu mismatch")
        if abs(now.timestamp() - float(claims.get("iat", 0))) > PROOF_AGE_SECONDS_MAX:
            raise ProofRefused("invalid_dpop_proof", "DPoP proof is too old")
        if claims.get("nonce") not in (self.nonce(), self.nonce(windows_ago=1)):
            raise ProofRefused("use_dpop_nonce", "requires nonce in DPoP proof")
        digest = base64.urlsafe_b64encode(hashlib.sha256((access_token or "").encode()).digest())
        if access_token is not None and claims.get("ath") != digest.rstrip(b"=").decode():
            raise ProofRefused("invalid_dpop_proof", "DPoP ath mismatch")
        self._refuse_replay(str(claims.get("jti", "")), now)

    def _refuse_replay(self, identifier: str, now: datetime) -> None:
        self._seen = {known: until for known, until in self._seen.items() if until > now}
        if not identifier or identifier in self._seen:
            raise ProofRefused("invalid_dpop_proof", "DPoP proof replayed")
        self._seen[identifier] = now + timedelta(seconds=2 * PROOF_AGE_SECONDS_MAX)
