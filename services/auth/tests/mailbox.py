"""A mail server that keeps what it is handed, and says no when a test wants it to."""

from __future__ import annotations

import asyncio
import re
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from kit.testing import wait_for

_TOKEN = re.compile(r"/#/[a-z-]+\?token=([\w-]+)")

TAKEN = "250 OK"


@dataclass(frozen=True)
class Received:
    """A letter as it arrived."""

    message: EmailMessage
    recipients: list[str]
    user: str | None
    encrypted: bool

    @property
    def kind(self) -> str:
        return str(self.message["X-Signoff-Letter"])

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def _body(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())

    @property
    def token(self) -> str:
        found = _TOKEN.search(self.text)
        assert found, self.text
        return found[1]


class Mailbox:
    """`answer` decides about each letter, `greet` about each recipient; both name an SMTP reply."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, implicit: bool = False, password: str = "") -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.answer: Callable[[Received], str] = lambda _: TAKEN
        self.greet: Callable[[str], str] = lambda _: TAKEN
        self._tls, self._implicit, self._password = tls, implicit, password

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        scheme = "smtps" if self._implicit else "smtp" if self._tls else "smtp+plain"
        return f"{scheme}://127.0.0.1:{self.port}"

    def letters(self, kind: str, address: str | None = None) -> list[Received]:
        """What has arrived of a kind, oldest first."""
        return [each for each in self.received if each.kind == kind and address in (None, *each.recipients)]

    async def wait(self, kind: str, address: str | None = None, count: int = 1) -> list[Received]:
        """The letters of a kind once there are `count` of them."""

        def enough() -> list[Received]:
            found = self.letters(kind, address)
            return found if len(found) >= count else []

        return await wait_for(enough, what=f"{count} × {kind}")

    async def token(self, kind: str, address: str | None = None) -> str:
        """The token of the newest letter of a kind, which is taken out of the box."""
        newest = (await self.wait(kind, address))[-1]
        self.received.remove(newest)
        return newest.token

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.greet(address)
        if reply == TAKEN:
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        proof: Any = session.auth_data
        user = proof.login.decode() if isinstance(proof, LoginPassword) else None
        encrypted = self._implicit or session.ssl is not None
        letter = Received(message, list(envelope.rcpt_tos), user, encrypted)
        reply = self.answer(letter)
        if reply == TAKEN:
            self.received.append(letter)
        return reply

    def _check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password.decode() == self._password
        # What is "handled" gets no reply from the library.
        return AuthResult(success=right, handled=right, auth_data=data)

    def _protocol(self) -> SMTP:
        self.connections += 1
        starts_later = self._tls is not None and not self._implicit
        with warnings.catch_warnings():
            # It does not see the encryption that was there before it, and warns that it asks for none.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                self,
                hostname="mailbox.test",
                enable_SMTPUTF8=True,
                tls_context=self._tls if starts_later else None,
                require_starttls=starts_later,
                auth_required=bool(self._password),
                auth_require_tls=not self._implicit,
                authenticator=self._check if self._password else None,
            )

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        tls = self._tls if self._implicit else None
        self._server = await loop.create_server(self._protocol, "127.0.0.1", 0, ssl=tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()


def answering(seen: list[Received], *answers: str) -> Callable[[Received], str]:
    """Answer one letter after the other so, and keep what was shown."""
    left = iter(answers)

    def answer(letter: Received) -> str:
        seen.append(letter)
        return next(left)

    return answer
