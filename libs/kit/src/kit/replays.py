"""What an operator does with dead letters: read them, give them to their consumer again, drop them.

`signoff dlq` stands on this; retention reads and drops what names a subject that is to be forgotten.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import nats.errors
import nats.js.errors
from contracts import topology
from contracts.topology import Consumer
from nats.aio.client import Client
from nats.js.api import Header
from nats.js.errors import NotFoundError

from kit.dead_letters import ANSWER_SECONDS, EXPIRES, DeadLetter, NotReplayable, expiry_of, own_headers, seconds_until
from kit.publishing import Message, Publisher

PAGE = 256
PAGE_BYTES_MAX = 1024 * 1024
"""What is read, and replayed or dropped, at once: enough to fill the pipe, few enough to hold in memory."""

BUS_ERRORS = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)
"""NATS is away or refuses."""

_DELETE_FAILED = 10057


@dataclass(frozen=True)
class Selection:
    """Which dead letters are meant. What is left out leaves that side open.

    `event` is a full name (post.approved.v1) or one for every version (post.approved); `key` ends the subject.
    """

    consumer: str | None = None
    event: str | None = None
    key: str | None = None
    parked_from: datetime | None = None
    parked_until: datetime | None = None
    id_until: int | None = None

    @property
    def subject(self) -> str:
        if self.consumer is None and self.key is None:
            # Whatever is stored there, even under a subject that nothing of ours would give it.
            return f"{topology.DEAD_LETTER_PREFIX}.>"
        return f"{topology.DEAD_LETTER_PREFIX}.{self.consumer or '*'}.{self.key or '*'}"

    def is_before_end(self, letter: DeadLetter) -> bool:
        """Whether this letter, and so perhaps a later one, is old enough."""
        return (self.id_until is None or letter.id <= self.id_until) and (
            self.parked_until is None or letter.parked_at <= self.parked_until
        )

    def takes(self, letter: DeadLetter) -> bool:
        return self.event is None or self.event in (letter.event, letter.event.rpartition(".v")[0])


EVERYTHING = Selection()


class DeadLetters:
    """What an operator, and retention, do with dead letters, over a connection that may."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jetstream()
        self._publisher = Publisher(client)
        self._max_age: timedelta | None = None
        self._takes_replays: dict[str, bool] = {}

    async def pages(self, selection: Selection = EVERYTHING) -> AsyncIterator[list[DeadLetter]]:
        """The letters of a selection, oldest first, some hundred at a time. A page may be empty."""
        place: dict[str, Any] = {"seq": 1}
        if selection.parked_from is not None:
            place = {"start_time": selection.parked_from.isoformat()}
        while True:
            page, is_last = await self._page(selection.subject, place)
            known = [letter for letter in page if selection.is_before_end(letter)]
            yield [letter for letter in known if selection.takes(letter)]
            if is_last or len(known) < len(page):
                return
            place = {"seq": page[-1].id + 1}

    async def find(self, id_: int) -> DeadLetter | None:
        try:
            message = await self._jetstream.get_msg(topology.DEAD_LETTERS, id_)
        except NotFoundError:
            return None
        assert message.seq is not None
        assert message.subject is not None
        assert message.time is not None
        headers, body = message.headers or {}, message.data or b""
        expires = await self._expires(headers, message.time)
        return DeadLetter(message.seq, message.time, message.subject, headers, body, expires)

    async def refusals(self, letters: Sequence[DeadLetter]) -> dict[int, str]:
        """Why those that no consumer would take cannot be replayed, by id."""
        refused = {}
        for letter in letters:
            try:
                await self._check_takes_replays(letter.addressee())
            except NotReplayable as error:
                refused[letter.id] = str(error)
        return refused

    async def replay(self, letters: Sequence[DeadLetter]) -> dict[int, str]:
        """Give each event to its consumer again, in this order, then take out its letter. Returns what failed, by id.

        Stored first, deleted then: between the two it is there twice, and the consumer's inbox takes it once.
        """
        failed = await self.refusals(letters)
        sent: list[tuple[DeadLetter, asyncio.Future[None]]] = []
        for letter in letters:
            if letter.id in failed:
                continue
            try:
                sent.append((letter, await self._send(letter)))
            except BUS_ERRORS as error:
                failed[letter.id] = _sentence(error)
        if sent:
            await asyncio.wait([answer for _, answer in sent], timeout=ANSWER_SECONDS)
        stored = []
        for letter, answer in sent:
            refusal = _failure(answer)
            if refusal is None:
                stored.append(letter)
            else:
                failed[letter.id] = _sentence(refusal)
        return failed | await self._delete_all(stored, overwritten=False)

    async def drop(self, letters: Sequence[DeadLetter]) -> dict[int, str]:
        """Delete letters; one that is gone already is as good. Returns what failed, by id."""
        # Overwriting costs 5 ms and more instead of 0.1. An event holds ids only; what is no event may hold anything.
        strange = [letter for letter in letters if letter.reason == "contract"]
        events = [letter for letter in letters if letter.reason != "contract"]
        return await self._delete_all(strange, overwritten=True) | await self._delete_all(events, overwritten=False)

    async def _delete_all(self, letters: Sequence[DeadLetter], *, overwritten: bool) -> dict[int, str]:
        deletions = [self._delete(letter, overwritten=overwritten) for letter in letters]
        errors = await asyncio.gather(*deletions, return_exceptions=True)
        failed = {}
        for letter, error in zip(letters, errors, strict=True):
            if isinstance(error, BUS_ERRORS):
                failed[letter.id] = _sentence(error)
            elif error is not None:
                raise error
        return failed

    async def _page(self, subject: str, place: Mapping[str, Any]) -> tuple[list[DeadLetter], bool]:
        """One batch from a place on, and whether it is the last: one request, answered with a message each."""
        inbox = self._client.new_inbox()
        answers = await self._client.subscribe(inbox)
        request = {"batch": PAGE, "max_bytes": PAGE_BYTES_MAX, "next_by_subj": subject, **place}
        page: list[DeadLetter] = []
        try:
            await self._client.publish(
                f"$JS.API.DIRECT.GET.{topology.DEAD_LETTERS}", json.dumps(request).encode(), reply=inbox
            )
            while True:
                message = await answers.next_msg(ANSWER_SECONDS)
                headers = message.headers or {}
                if "Nats-Sequence" not in headers:
                    break
                page.append(await self._letter(headers, message.data))
        finally:
            await answers.unsubscribe()
        match headers.get("Status"):
            case "204":
                return page, headers.get("Nats-Num-Pending") == "0"
            case "404":
                return page, True
            case status:
                raise nats.errors.Error(f"the server does not read dead letters: status {status}")

    async def _letter(self, headers: Mapping[str, str], body: bytes) -> DeadLetter:
        """A letter as a batch brings it: the server writes where it lay beside the headers it had."""
        kept = own_headers(headers) | {name: value for name, value in headers.items() if name.startswith("signoff-")}
        parked_at = datetime.fromisoformat(headers["Nats-Time-Stamp"])
        expires = await self._expires(kept, parked_at)
        return DeadLetter(int(headers["Nats-Sequence"]), parked_at, headers["Nats-Subject"], kept, body, expires)

    async def _expires(self, headers: Mapping[str, str], parked_at: datetime) -> datetime:
        if self._max_age is None:
            config = (await self._jetstream.stream_info(topology.DEAD_LETTERS)).config
            self._max_age = min(
                timedelta(seconds=config.max_age or 0) or topology.STREAM_MAX_AGE, topology.STREAM_MAX_AGE
            )
        return expiry_of(headers) or parked_at + self._max_age

    async def _check_takes_replays(self, consumer: Consumer) -> None:
        """Raise `NotReplayable` if a replay would be stored where its consumer does not look, and so be lost."""
        if consumer.name not in self._takes_replays:
            filters = await self._filters(consumer)
            self._takes_replays[consumer.name] = consumer.replay_subject("*") in filters
        if not self._takes_replays[consumer.name]:
            raise NotReplayable(f"NATS gives {consumer.name} no replays yet: run signoff topology apply")

    async def _filters(self, consumer: Consumer) -> Sequence[str]:
        try:
            config = (await self._jetstream.consumer_info(consumer.stream, consumer.name)).config
        except NotFoundError:
            return ()
        return config.filter_subjects or ([config.filter_subject] if config.filter_subject else ())

    async def _send(self, letter: DeadLetter) -> asyncio.Future[None]:
        consumer = letter.addressee()
        headers = own_headers(letter.headers) | {
            # Repeated after a crash, the stream stores it once; after its window the inbox knows the event's id.
            "Nats-Msg-Id": f"{topology.REPLAYS}:{letter.id}",
            EXPIRES: letter.expires.isoformat(),
            Header.MSG_TTL.value: str(seconds_until(letter.expires)),
        }
        message = Message(consumer.replay_subject(letter.key), letter.body, headers)
        return await self._publisher.publish(message, stream=consumer.stream)

    async def _delete(self, letter: DeadLetter, *, overwritten: bool) -> None:
        request = {"seq": letter.id, "no_erase": not overwritten}
        answer = await self._client.request(
            f"$JS.API.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}", json.dumps(request).encode(), timeout=ANSWER_SECONDS
        )
        error = json.loads(answer.data).get("error")
        # The server has one code for a message that it does not have and for one that it could not delete.
        if error and not (error.get("err_code") == _DELETE_FAILED and await self.find(letter.id) is None):
            raise nats.errors.Error(f"the server does not delete it: {error.get('description')}")


def _failure(answer: asyncio.Future[None]) -> BaseException | None:
    if answer.done():
        return answer.exception()
    answer.cancel()
    return TimeoutError("no answer from NATS")


def _sentence(error: BaseException) -> str:
    return str(error) or type(error).__name__
