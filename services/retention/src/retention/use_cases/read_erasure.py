"""What is told of an erasure to whoever knows its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from retention.domain.erasure import OWN_TASK, Answer, Erasure, ErasureUnknown
from retention.ports import Erasures


@dataclass(frozen=True)
class Task:
    """One service's part; `answer` is None until it is done."""

    service: str
    answer: Answer | None


@dataclass(frozen=True)
class Report:
    """An erasure with its tasks and its newest certificate."""

    erasure: Erasure
    tasks: Sequence[Task]
    certificate: str | None


async def read_erasure(erasure_id: UUID, store: Erasures) -> Report:
    """Raises `ErasureUnknown`."""
    erasure = await store.get(erasure_id)
    if erasure is None:
        raise ErasureUnknown()
    answers = {answer.service: answer for answer in await store.answers(erasure_id) if answer.complete}
    tasks = [Task(service, answers.get(service)) for service in erasure.expected]
    if erasure.expected:
        tasks.append(Task(OWN_TASK, _own_answer(erasure)))
    return Report(erasure, tasks, await store.newest_certificate(erasure_id))


def _own_answer(erasure: Erasure) -> Answer | None:
    if erasure.completed_at is None:
        return None
    purged = {f"stream {name}": count for name, count in erasure.purged.items()}
    return Answer(OWN_TASK, purged, {}, dict.fromkeys(purged, 0), True, erasure.completed_at)
