"""Letters as mail (RFC 5322), and the folder that stands for a mail server on a developer's machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

from auth.ports.letters import Carrier, Mail, MailRefused


def compose(mail: Mail, *, sender: str, at: datetime) -> EmailMessage:
    """The message, which is the same at each attempt but for its date and its token. Raises `MailRefused`."""
    message = EmailMessage()
    try:
        message["To"] = Address(addr_spec=mail.address)
    except (ValueError, MessageError, IndexError) as error:
        raise MailRefused("address-unusable") from error
    message["From"] = sender
    message["Subject"] = mail.subject
    message["Date"] = at
    # Servers and people know a repeated letter by it.
    message["Message-ID"] = f"<{mail.letter_id}@{domain_of(sender)}>"
    # Machines do not answer what a machine wrote (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Signoff-Letter"] = mail.kind.value
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    message["Content-Language"] = mail.language
    return message


def domain_of(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]


class FolderPost:
    """Implements `auth.ports.letters.Post`: each letter becomes a file that a mail program opens."""

    def __init__(self, folder: Path, *, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Carrier]:
        yield self

    async def carry(self, mail: Mail, *, at: datetime) -> None:
        message = compose(mail, sender=self._sender, at=at)
        await asyncio.to_thread(self._write, f"{mail.letter_id}.eml", message.as_bytes())

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = self._folder / f".{name}"
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        # Whoever watches the folder sees whole letters only.
        scratch.replace(self._folder / name)
