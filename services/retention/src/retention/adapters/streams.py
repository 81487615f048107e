"""Takes the events about a subject from JetStream, once every consumer has done with them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import nats.errors
import nats.js.errors
from contracts import topology
from contracts.retention import ErasureRecalledV1, ErasureRequestedV1, SubjectKind
from kit.dead_letters import DeadLetter
from kit.replays import DeadLetters
from nats.aio.client import Client
from nats.js.api import ConsumerInfo

from retention.domain.erasure import OpenErasure, Purge
from retention.ports import Away

OWN_STREAM = "RETENTION"

SUBJECT_STREAMS = tuple(name for name in topology.STREAMS if name not in (OWN_STREAM, topology.DEAD_LETTERS))
"""Streams whose subjects end with the id of a workspace or account."""


class JetStreams:
    """`retention.ports.Streams` over the service's own connection."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    async def purge(self, erasure: OpenErasure) -> Purge:
        try:
            return await self._purge(erasure)
        except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError) as error:
            raise Away(type(error).__name__) from error

    async def _purge(self, erasure: OpenErasure) -> Purge:
        purged: dict[str, int] = {}
        left = 0
        for stream, subject in _filters(erasure):
            count, rest = await self._purge_one(stream, subject)
            purged[stream] = purged.get(stream, 0) + count
            left += rest
        # Only now: what is left above can still be parked by its consumer.
        if not left:
            purged[topology.DEAD_LETTERS], left = await self._purge_dead_letters(erasure.subject_id)
            # An operator may have replayed one of them meanwhile.
            left += sum([await self._count(stream, subject) for stream, subject in _filters(erasure)])
        return Purge(purged, clean=not left)

    async def _purge_one(self, stream: str, subject: str) -> tuple[int, int]:
        """How many messages were purged, and how many are left."""
        jetstream = self._client().jetstream()
        before = await self._count(stream, subject)
        if not before:
            return 0, 0
        last = (await jetstream.get_last_msg(stream, subject)).seq
        if last is None or not await self._is_done_with(stream, last):
            return 0, before
        # Only up to what was checked: a message that came since is not done with.
        await jetstream.purge_stream(stream, seq=last + 1, subject=subject)
        left = await self._count(stream, subject)
        return max(before - left, 0), left

    async def _is_done_with(self, stream: str, sequence: int) -> bool:
        for consumer in topology.CONSUMERS.values():
            if consumer.stream == stream:
                info = await self._client().jetstream().consumer_info(stream, consumer.name)
                if not _is_past(info, sequence):
                    return False
        return True

    async def _count(self, stream: str, subject: str) -> int:
        info = await self._client().jetstream().stream_info(stream, subjects_filter=subject)
        return sum((info.state.subjects or {}).values())

    async def _purge_dead_letters(self, subject_id: UUID) -> tuple[int, int]:
        """How many parked messages about the subject, or that name it, are gone, and how many may be left."""
        jetstream = self._client().jetstream()
        about = f"{topology.DEAD_LETTER_PREFIX}.*.{subject_id}"
        count = await self._count(topology.DEAD_LETTERS, about)
        if count:
            await jetstream.purge_stream(topology.DEAD_LETTERS, subject=about)
        unseen = (await jetstream.stream_info(topology.DEAD_LETTERS)).state.messages
        failed = 0
        letters = DeadLetters(self._client())
        async for page in letters.pages():
            naming = [letter for letter in page if _names(letter, subject_id)]
            refused = len(await letters.drop(naming))
            count, failed, unseen = count + len(naming) - refused, failed + refused, unseen - len(page)
        # A server that is behind the leader may have answered, and not have shown everything.
        return count, failed + max(unseen, 0)


def _filters(erasure: OpenErasure) -> list[tuple[str, str]]:
    """Streams and the subjects in them that tell of the subject.

    What we asked for ourselves names the subject too. A connection's other events lie under its workspace, which goes
    on; they expire by age, before the certificate's `events_until`.
    """
    own = [
        (OWN_STREAM, f"{ErasureRequestedV1.name()}.{erasure.erasure_id}"),
        (OWN_STREAM, f"{ErasureRecalledV1.name()}.{erasure.erasure_id}"),
        (OWN_STREAM, f"{topology.REPLAYS}.{OWN_STREAM.lower()}.*.{erasure.erasure_id}"),
    ]
    if erasure.subject_kind is SubjectKind.CONNECTION:
        return own
    # Events and replays both have four tokens, and the same last one.
    return [*((stream, f"*.*.*.{erasure.subject_id}") for stream in SUBJECT_STREAMS), *own]


def _is_past(info: ConsumerInfo, sequence: int) -> bool:
    """Whether a consumer has acknowledged everything up to a sequence of its stream."""
    if not info.num_pending and not info.num_ack_pending:
        return True
    return info.ack_floor is not None and info.ack_floor.stream_seq >= sequence


def _names(letter: DeadLetter, subject_id: UUID) -> bool:
    id_ = str(subject_id)
    return id_.encode() in letter.body or any(id_ in value for value in (letter.subject, *letter.headers.values()))
