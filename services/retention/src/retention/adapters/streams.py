"""Takes the events about a subject from JetStream, once every consumer has done with them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import nats.errors
import nats.js.errors
from contracts import topology
from contracts.retention import ErasureRequestedV1, SubjectKind
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, RawStreamMsg
from nats.js.errors import NotFoundError

from retention.domain.erasure import OpenErasure, Purge
from retention.ports import Away

OWN_STREAM = "RETENTION"

SUBJECT_STREAMS = tuple(name for name in topology.STREAMS if name not in (OWN_STREAM, topology.DEAD_LETTERS))
"""Streams whose subjects end with the id of a workspace or account."""


class JetStreams:
    """`retention.ports.Streams` over the service's own connection."""

    def __init__(self, jetstream: Callable[[], JetStreamContext]) -> None:
        self._jetstream = jetstream

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
            purged[stream] = count
            left += rest
        # Only now: what is left above can still be parked by its consumer.
        if not left:
            purged[topology.DEAD_LETTERS] = await self._purge_dead_letters(erasure.subject_id)
        return Purge(purged, clean=not left)

    async def _purge_one(self, stream: str, subject: str) -> tuple[int, int]:
        """How many messages were purged, and how many are left."""
        jetstream = self._jetstream()
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
                info = await self._jetstream().consumer_info(stream, consumer.name)
                if not _is_past(info, sequence):
                    return False
        return True

    async def _count(self, stream: str, subject: str) -> int:
        info = await self._jetstream().stream_info(stream, subjects_filter=subject)
        return sum((info.state.subjects or {}).values())

    async def _purge_dead_letters(self, subject_id: UUID) -> int:
        """Delete every parked message that was told about the subject or names it."""
        jetstream, sequence, count = self._jetstream(), 1, 0
        while True:
            try:
                message = await jetstream.get_msg(
                    topology.DEAD_LETTERS, sequence, subject=f"{topology.DEAD_LETTER_PREFIX}.>", next=True
                )
            except NotFoundError:
                return count
            assert message.seq is not None
            if _is_about(message, subject_id):
                await jetstream.delete_msg(topology.DEAD_LETTERS, message.seq)
                count += 1
            sequence = message.seq + 1


def _filters(erasure: OpenErasure) -> list[tuple[str, str]]:
    """Streams and the subjects in them that tell of the subject.

    Our own request names the subject too. A connection's other events lie under its workspace, which goes
    on; they expire by age, before the certificate's `events_until`.
    """
    own = (OWN_STREAM, f"{ErasureRequestedV1.name()}.{erasure.erasure_id}")
    if erasure.subject_kind is SubjectKind.CONNECTION:
        return [own]
    return [*((stream, f"*.*.*.{erasure.subject_id}") for stream in SUBJECT_STREAMS), own]


def _is_past(info: ConsumerInfo, sequence: int) -> bool:
    """Whether a consumer has acknowledged everything up to a sequence of its stream."""
    if not info.num_pending and not info.num_ack_pending:
        return True
    return info.ack_floor is not None and info.ack_floor.stream_seq >= sequence


def _is_about(message: RawStreamMsg, subject_id: UUID) -> bool:
    told = (message.headers or {}).get("signoff-subject", "")
    return told.endswith(f".{subject_id}") or str(subject_id).encode() in (message.data or b"")
