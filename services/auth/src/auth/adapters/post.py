"""Which way mail takes here."""

from __future__ import annotations

from pathlib import Path

from auth.adapters.mail import FolderPost
from auth.ports.letters import Post, SmtpServer


def create_post(server: SmtpServer | None, folder: Path | None, *, sender: str) -> Post:
    """The mail server, or the folder that stands for one."""
    if server is None:
        assert folder is not None, "the settings name one of them"
        return FolderPost(folder, sender=sender)
    # Several megabytes and 60 ms that only who has a mail server has to pay.
    from auth.adapters.smtp import SmtpPost  # noqa: PLC0415

    return SmtpPost(server, sender=sender)
