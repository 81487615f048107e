"""An OpenID provider that says whatever a test wants: what no real one would, and we must not believe."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

CLIENT_ID = "signoff"


class StandIn:
    """`with StandIn() as provider:` listens at `provider.issuer`.

    `discovery` is what it says about itself, `profile` what it says about a person who is asked for; both may be
    changed. `asked` counts what was asked for by path.
    """

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.forms: list[dict[str, str]] = []
        self.down = False
        self.keys = [_new_key()]
        self.profile: dict[str, Any] = {}
        self._tokens: dict[str, dict[str, Any]] = {}
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(stand_in.get(self.path))

            def do_POST(self) -> None:
                self._answer(stand_in.post(self.path, self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(503 if stand_in.down else 400 if "error" in document else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *values: object) -> None:
                """Nothing: a test's output is pytest's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.discovery: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorise",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/profile",
        }

    def rotate(self) -> None:
        """Sign with a new key; the old one is withdrawn."""
        self.keys = [_new_key()]

    def get(self, path: str) -> dict[str, Any]:
        self.asked[path] = self.asked.get(path, 0) + 1
        if path == "/keys":
            return dict(KeySet(list(self.keys)).as_dict(private=False))
        return self.discovery if path.startswith("/.well-known/") else self.profile

    def post(self, path: str, body: bytes) -> dict[str, Any]:
        form = dict(parse_qsl(body.decode()))
        self.forms.append(form)
        return self._tokens.pop(form["code"], {"error": "invalid_grant"})

    def vouch(self, authorisation_url: str, *, header: dict[str, Any] | None = None, **claims: Any) -> dict[str, str]:
        """What the callback is called with for a person of these claims; a claim that is None is left out."""
        asked = dict(parse_qsl(urlsplit(authorisation_url).query))
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "person@example.com",
            "email_verified": True,
        } | claims
        return self.hand_out(asked["state"], self.signed(told, header or {}))

    def hand_out(self, state: str, id_token: str) -> dict[str, str]:
        code = secrets.token_urlsafe(16)
        self._tokens[code] = {"id_token": id_token, "access_token": "access", "token_type": "Bearer"}
        return {"code": code, "state": state}

    def signed(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        key = self.keys[-1]
        told = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": key.kid} | header
        if header["alg"] == "none":
            return f"{_encoded(header)}.{_encoded(told)}."
        return jwt.encode(header, told, key)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def _encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
