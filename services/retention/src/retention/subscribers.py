"""The event edge: what is over opens an erasure, what services answer moves it on."""

from __future__ import annotations

from contracts.auth import AccountDeletedV1, ConnectionRevokedV2, WorkspaceDeletedV1
from contracts.retention import ErasureTaskDoneV1, SubjectKind
from contracts.topology import CONSUMERS
from kit.clock import Clock
from kit.database import Units
from kit.subscription import Subscription

from retention.ports import Store
from retention.use_cases.open_erasure import open_connection_erasure, open_erasure
from retention.use_cases.request_erasures import take_answer


def subscriptions(units: Units[Store], clock: Clock) -> list[Subscription]:
    from_auth = Subscription(CONSUMERS["retention-auth"])
    from_services = Subscription(CONSUMERS["retention-retention"])

    @from_auth.on(ConnectionRevokedV2)
    async def on_revoked(event: ConnectionRevokedV2) -> None:
        await open_connection_erasure(event, units.joined())

    @from_auth.on(WorkspaceDeletedV1)
    async def on_workspace_deleted(event: WorkspaceDeletedV1) -> None:
        await open_erasure(
            event.erasure_id, SubjectKind.WORKSPACE, event.workspace_id, units.joined(), since=clock.now()
        )

    @from_auth.on(AccountDeletedV1)
    async def on_account_deleted(event: AccountDeletedV1) -> None:
        await open_erasure(event.erasure_id, SubjectKind.ACCOUNT, event.account_id, units.joined(), since=clock.now())

    @from_services.on(ErasureTaskDoneV1)
    async def on_task_done(event: ErasureTaskDoneV1) -> None:
        await take_answer(event, units.joined())

    return [from_auth, from_services]
