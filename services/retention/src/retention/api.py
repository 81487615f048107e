"""The HTTP edge: erasures for who knows their id, keys and policy for everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from kit.database import Scope, Units
from litestar import get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from retention.domain import policy
from retention.ports import Store
from retention.use_cases.read_erasure import Report, Task, read_erasure


class TaskBody(msgspec.Struct, frozen=True):
    service: str
    state: str
    erased: dict[str, int]
    anonymised: dict[str, int]
    done_at: datetime | None


class ErasureBody(msgspec.Struct, frozen=True):
    erasure_id: UUID
    subject_kind: str
    state: str
    requested_at: datetime
    execute_at: datetime
    due_at: datetime
    completed_at: datetime | None
    backups_until: datetime | None
    tasks: list[TaskBody]
    certificate: str | None


def routes(units: Units[Store], keys: Callable[[], dict[str, Any]]) -> list[ControllerRouterHandler]:
    @get("/api/erasures/{erasure_id:uuid}")
    async def erasure(erasure_id: FromPath[UUID]) -> ErasureBody:
        async with units(Scope.nobody()) as store:
            return _erasure_body(await read_erasure(erasure_id, store))

    @get("/api/certificate-keys")
    async def certificate_keys() -> dict[str, Any]:
        return keys()

    @get("/api/retention-policy")
    async def retention_policy() -> dict[str, Any]:
        return _policy_body()

    return [erasure, certificate_keys, retention_policy]


def _erasure_body(report: Report) -> ErasureBody:
    erasure = report.erasure
    return ErasureBody(
        erasure_id=erasure.erasure_id,
        subject_kind=erasure.subject_kind.value,
        state=erasure.state.value,
        requested_at=erasure.requested_at,
        execute_at=erasure.execute_at,
        due_at=erasure.due_at,
        completed_at=erasure.completed_at,
        backups_until=erasure.backups_until,
        tasks=[_task_body(task) for task in report.tasks],
        certificate=report.certificate,
    )


def _task_body(task: Task) -> TaskBody:
    if task.answer is None:
        return TaskBody(task.service, "waiting", {}, {}, None)
    answer = task.answer
    return TaskBody(task.service, "done", dict(answer.erased), dict(answer.anonymised), answer.done_at)


def _policy_body() -> dict[str, Any]:
    return {
        "version": policy.POLICY_VERSION,
        "erased": [
            {
                "subject_kind": kind.value,
                "starts_after_days": rule.wait.days,
                "promised_within_days": rule.promise.days,
                "why": rule.why,
            }
            for kind, rule in policy.RULES.items()
        ],
        "backups": {
            "kept_days": policy.BACKUP_KEPT[policy.Rotation.DATA].days,
            "promised_within_days": policy.BACKUP_PROMISE[policy.Rotation.DATA].days,
            "keys_kept_days": policy.BACKUP_KEPT[policy.Rotation.KEYS].days,
            "keys_promised_within_days": policy.BACKUP_PROMISE[policy.Rotation.KEYS].days,
        },
        "kept": [{"what": kept.what, "reason": kept.reason, "days": kept.days} for kept in policy.KEPT],
    }
