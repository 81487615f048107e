"""What is planned must be there: an approved revision of the post, with a variant for each connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from contracts.sealing import SealedRevision
from kit.problems import Invalid

from scheduler.domain.schedule import RevisionNotApproved
from scheduler.ports import Revisions
from scheduler.use_cases.timing import fault


class Plan(Protocol):
    """What is to go out, and where to."""

    @property
    def workspace_id(self) -> UUID: ...

    @property
    def post_id(self) -> UUID: ...

    @property
    def revision_id(self) -> UUID: ...

    @property
    def connection_ids(self) -> tuple[UUID, ...]: ...


async def check_plan(plan: Plan, *, reaches: Callable[[UUID], bool], revisions: Revisions) -> SealedRevision:
    """The revision that is planned. Raises what is wrong, or `Unavailable` if content does not answer.

    `reaches`: which connections are there.
    """
    _refuse_repetitions(plan.connection_ids)
    revision = await revisions.find(plan.workspace_id, plan.revision_id)
    return _approved(plan, revision, reaches)


def _refuse_repetitions(connection_ids: Sequence[UUID]) -> None:
    errors = [
        fault(f"/connection_ids/{index}", "This connection is named twice.")
        for index, connection_id in enumerate(connection_ids)
        if connection_id in connection_ids[:index]
    ]
    if errors:
        raise Invalid(errors=errors)


def _approved(plan: Plan, revision: SealedRevision | None, reaches: Callable[[UUID], bool]) -> SealedRevision:
    if revision is None:
        raise Invalid(errors=[fault("/revision_id", "There is no such revision in this workspace.")])
    if revision.post_id != plan.post_id:
        raise Invalid(errors=[fault("/post_id", "The revision belongs to another post.")])
    if revision.seal is None:
        raise RevisionNotApproved()
    meant = {variant.connection_id for variant in revision.variants}
    errors = [
        fault(f"/connection_ids/{index}", "The revision has no variant for this connection.")
        for index, connection_id in enumerate(plan.connection_ids)
        if connection_id not in meant or not reaches(connection_id)
    ]
    if errors:
        raise Invalid(errors=errors)
    return revision
