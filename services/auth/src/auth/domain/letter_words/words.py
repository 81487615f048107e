"""The form of a letter's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A subject line, which names no facts, and paragraphs, which name theirs in braces.

    `{link}` is the page that takes the letter's proof, `{web}` the web client.
    """

    subject: str
    paragraphs: tuple[str, ...]
