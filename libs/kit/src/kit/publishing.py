"""Publishes to JetStream with many messages in flight, and tells for each whether it is stored, refused or unknown.

nats-py has the like, but loses a refusal: it raises inside its own callback, and who published waits for ever.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from kit.ids import new_id

EXPECTED_STREAM = "Nats-Expected-Stream"

# NATS ADR-50, atomic batch publishing.
_BATCH_ID = "Nats-Batch-Id"
_BATCH_SEQUENCE = "Nats-Batch-Sequence"
_BATCH_COMMIT = "Nats-Batch-Commit"

_UNAVAILABLE = 503


class Refused(Exception):
    """The server will not store this message, however often it is sent."""


class Unavailable(nats.errors.Error):
    """Nobody stores messages at the moment: no stream leader, or no JetStream. The message can be sent again."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be stored, and under which subject."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


class Publisher:
    """One inbox for the answers to everything a connection publishes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox: str | None = None
        self._sent = 0
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def publish(self, message: Message, *, stream: str) -> asyncio.Future[None]:
        """Send a message; the future ends when `stream` has stored it, or raises `Refused` or `Unavailable`.

        It may never end, if the answer was lost; who stops waiting cancels it.
        """
        reply, answer = await self._expect()
        headers = _as_lines(message.headers) | {EXPECTED_STREAM: stream}
        await self._client.publish(message.subject, message.body, reply=reply, headers=headers)
        return answer

    async def publish_together(self, messages: Sequence[Message], *, stream: str) -> asyncio.Future[None]:
        """Send messages as an atomic batch, of which all are stored in their order or none; the future ends as that of
        `publish`.

        One that cannot be stored spoils them all, and so does one that is stored already.
        """
        reply, answer = await self._expect()
        common = _as_lines({EXPECTED_STREAM: stream, _BATCH_ID: str(new_id())})
        for number, message in enumerate(messages, start=1):
            headers = _as_lines(message.headers) | common | {_BATCH_SEQUENCE: _Line(number)}
            last = number == len(messages)
            if last:
                headers[_BATCH_COMMIT] = "1"
            await self._client.publish(message.subject, message.body, reply=reply if last else "", headers=headers)
        return answer

    def reconnected(self) -> None:
        """The connection was lost: what is unanswered since before may have been, and can be sent again."""
        for answer in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(Unavailable("the connection was lost"))
                # Who sent it may have stopped waiting when the connection went.
                answer.exception()

    async def _expect(self) -> tuple[str, asyncio.Future[None]]:
        if self._inbox is None:
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self._inbox}.*", cb=self._on_answer)
        self._sent += 1
        number = str(self._sent)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda _: self._waiting.pop(number, None))
        return f"{self._inbox}.{number}", answer

    async def _on_answer(self, message: Msg) -> None:
        answer = self._waiting.get(message.subject.rpartition(".")[2])
        if answer is None or answer.done():
            return
        error = _error(message)
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)


class _Line(str):
    """A header's value that is one line. nats-py looks for line ends in every value to replace them, which takes longer
    than all else that it does with a message of ours."""

    __slots__ = ()

    def strip(self, *_: Any) -> _Line:
        return self

    def translate(self, *_: Any) -> _Line:
        return self


def _as_lines(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value if "\n" in value or "\r" in value else _Line(value.strip()) for name, value in headers.items()}


def _error(message: Msg) -> Exception | None:
    if not message.data:
        # Nobody listens on the subject: the stream does not exist, or its cluster has no leader.
        return Unavailable((message.headers or {}).get("Description", "no stream answers"))
    problem = json.loads(message.data).get("error")
    if problem is None:
        return None
    description = str(problem.get("description", "refused"))
    return Unavailable(description) if problem.get("code") == _UNAVAILABLE else Refused(description)
