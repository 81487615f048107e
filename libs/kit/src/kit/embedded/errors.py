"""The one error of the embedded servers. The command prints its text as it is and ends."""

from __future__ import annotations


class EmbeddedError(Exception):
    """An embedded server cannot be run. The message is one line that says what to do next."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
