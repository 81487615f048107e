"""Mail handed in at an SMTP server, several letters on one connection, encrypted or not at all."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from email.utils import parseaddr

import aiosmtplib

from auth.adapters.mail import compose, domain_of
from auth.ports.letters import Carrier, Mail, MailPostponed, MailRefused, PostClosed, SmtpServer

ANSWER_SECONDS = 20.0
"""For each step of the conversation. Servers that check what they are given take some seconds for it."""


class SmtpPost:
    """Implements `auth.ports.letters.Post`."""

    def __init__(self, server: SmtpServer, *, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._trust = None if server.plain else ssl.create_default_context(cafile=server.ca_file)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Carrier]:
        client = self._client()
        try:
            await client.connect()
        except aiosmtplib.SMTPResponseException as error:
            # Refused at the door, wrong credentials too: an operator mends it, and the letters are still good then.
            raise PostClosed(f"smtp-{error.code}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise PostClosed(type(error).__name__) from error
        try:
            yield _SmtpCarrier(client, self._sender)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=1)
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password.reveal() if server.password else None,
            # Otherwise the library asks the network for our own name.
            local_hostname=domain_of(self._sender),
            timeout=ANSWER_SECONDS,
            use_tls=server.implicit_tls,
            start_tls=not server.implicit_tls and not server.plain,
            tls_context=self._trust,
        )


class _SmtpCarrier:
    def __init__(self, client: aiosmtplib.SMTP, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def carry(self, mail: Mail, *, at: datetime) -> None:
        message = compose(mail, sender=self._sender, at=at)
        try:
            await self._client.send_message(message, sender=parseaddr(self._sender)[1], recipients=[mail.address])
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0].code) from error
        except aiosmtplib.SMTPDataError as error:
            raise _refusal(error.code) from error
        except aiosmtplib.SMTPSenderRefused as error:
            # Not the letter's fault: the server does not let us send as who we are.
            raise PostClosed(f"smtp-{error.code}") from error
        except aiosmtplib.SMTPNotSupported as error:
            # The address needs SMTPUTF8, which the server has not.
            raise MailRefused("not-supported") from error
        except aiosmtplib.SMTPResponseException as error:
            raise MailPostponed(f"smtp-{error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise PostClosed(type(error).__name__) from error


def _refusal(code: int) -> MailRefused | MailPostponed:
    return MailRefused(f"smtp-{code}") if code >= 500 else MailPostponed(f"smtp-{code}")
