"""Where mail goes while no mail server is named: each letter is a file in the data folder."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

_TOKEN = re.compile(r"/#/[a-z-]+\?token=([\w-]+)")


def token_of(folder: Path, kind: str, address: str) -> str | None:
    """The token in the newest letter of a kind to an address, if there is one."""
    # A letter's name is its id, which begins with the time.
    # A letter that is being written has a hidden name.
    for file in sorted(folder.glob("[!.]*.eml"), reverse=True):
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        body = message.get_body(("plain",))
        if message["X-Signoff-Letter"] == kind and str(message["To"]) == address and body is not None:
            found = _TOKEN.search(str(body.get_content()))
            return found[1] if found else None
    return None
