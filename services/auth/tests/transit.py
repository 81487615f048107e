"""The transit engine of HashiCorp Vault as a local server: it really encrypts, and refuses what Vault refuses.

Keys have versions; derived ones encrypt with what HKDF makes of version and context, others ignore the context. What
it answers, and with which status and words, is Vault's.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Refused(Exception):
    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


@dataclass
class TransitKeyState:
    """One named key. Versions count from 1; the last one encrypts."""

    derived: bool = True
    min_decryption_version: int = 1
    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)])

    def rotate(self) -> None:
        self.versions.append(os.urandom(32))

    def encrypt(self, plain: bytes, context: bytes) -> str:
        version = len(self.versions)
        nonce = os.urandom(12)
        text = nonce + AESGCM(self._key(version, context)).encrypt(nonce, plain, None)
        return f"vault:v{version}:{base64.b64encode(text).decode()}"

    def decrypt(self, ciphertext: str, context: bytes) -> bytes:
        prefix, _, encoded = ciphertext.rpartition(":")
        version = int(prefix.removeprefix("vault:v"))
        if version < self.min_decryption_version:
            raise Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        if version > len(self.versions):
            raise Refused(400, "invalid ciphertext: version is too new")
        text = base64.b64decode(encoded)
        try:
            return AESGCM(self._key(version, context)).decrypt(text[:12], text[12:], None)
        except InvalidTag:
            raise Refused(400, "cipher: message authentication failed") from None

    def _key(self, version: int, context: bytes) -> bytes:
        key = self.versions[version - 1]
        if not self.derived:
            return key
        if not context:
            raise Refused(400, "missing 'context' for key derivation; the key was created using a derived key")
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=context).derive(key)


class TransitServer:
    """`with TransitServer() as vault:` listens at `vault.url`.

    `tokens` may do everything, `roles` log in with a pod's token. `seal()` and `stop_answering` are its bad days.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.keys = {"signoff": TransitKeyState()}
        self.tokens = {"the-token"}
        self.roles = {("auth", "the-pods-token")}
        self.namespace: str | None = None
        self.sealed = False
        self.status: int | None = None
        self.calls: list[str] = []
        self.logins = 0
        self.open = threading.Event()
        self.open.set()
        vault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    status, answer = 200, vault.answer(self.path, dict(self.headers), body)
                except Refused as refused:
                    status, answer = refused.status, {"errors": [str(refused)]}
                raw = json.dumps(answer).encode()
                with suppress(ConnectionError):  # who asked may have stopped waiting
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)

            def log_message(self, format: str, *values: object) -> None:
                """Nothing: a test's output is pytest's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, headers: dict[str, str], body: dict[str, str]) -> dict[str, Any]:
        self.open.wait()
        self.calls.append(path)
        if self.sealed:
            raise Refused(503, "Vault is sealed")
        if self.status is not None:
            raise Refused(self.status, "something is wrong")
        if headers.get("X-Vault-Namespace") != self.namespace:
            raise Refused(404, "no handler for route")
        if path == "/v1/auth/kubernetes/login":
            return self._log_in(body)
        if headers.get("X-Vault-Token") not in self.tokens:
            raise Refused(403, "permission denied")
        _, _, mount, action, name = path.split("/")
        key = self.keys.get(name) if mount == "transit" else None
        if key is None:
            raise Refused(400, "encryption key not found")
        context = base64.b64decode(body.get("context", ""))
        match action:
            case "encrypt":
                return {"data": {"ciphertext": key.encrypt(base64.b64decode(body["plaintext"]), context)}}
            case "decrypt":
                plain = key.decrypt(body["ciphertext"], context)
                return {"data": {"plaintext": base64.b64encode(plain).decode()}}
            case "rewrap":
                return {"data": {"ciphertext": key.encrypt(key.decrypt(body["ciphertext"], context), context)}}
        raise Refused(404, "unsupported path")

    def _log_in(self, body: dict[str, str]) -> dict[str, Any]:
        if (body["role"], body["jwt"]) not in self.roles:
            raise Refused(403, "permission denied")
        self.logins += 1
        token = f"pod-token-{self.logins}"
        self.tokens.add(token)
        return {"auth": {"client_token": token, "lease_duration": 3600}}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
