"""Hear what platforms tell: whoever left there has left here, whichever workspaces they were connected to.

What it ends is ended in the transaction that claims the notice: connections are frozen, ciphertexts gone. Their keys
follow at once, and the loop that finishes endings tells the rest without asking the platform. So the answer is fast,
and a platform that repeats itself finds everything done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from contracts.retention import ErasureCompletedV1
from kit.database import Scope
from platforms.shape import Notice, NoticeKind, PlatformName

from auth.domain.notices import DeletionRequest, NoticeRefused, Removal, is_code, new_code
from auth.ports.notices import Hooks
from auth.ports.store import Store, Transactions
from auth.ports.vault import Vault
from auth.use_cases.sealing import destroy_quietly

log = structlog.get_logger("hearing")

_LEAVING = (NoticeKind.AUTHORISATION_REMOVED, NoticeKind.ERASURE_REQUESTED)


async def hear(
    transactions: Transactions,
    name: PlatformName,
    *,
    headers: Mapping[str, str],
    body: bytes,
    about: NoticeKind | None,
    hooks: Hooks,
    vault: Vault,
) -> list[str]:
    """The codes of requests for deletion that it told. `about`: all that may be told at this address, if it is for one.

    Raises `NoticeRefused`.
    """
    notices = _read(name, headers=headers, body=body, about=about, hooks=hooks)
    codes = [
        await _leave(transactions, name, notice.account_id, notice, hooks=hooks, vault=vault)
        for notice in notices
        if notice.kind in _LEAVING and notice.account_id
    ]
    # Hints about posts: publisher and metrics look for themselves, so nothing is lost with them.
    ignored = Counter(notice.kind.value for notice in notices if notice.kind not in _LEAVING)
    for kind, count in ignored.items():
        log.info("notices_ignored", platform=name, kind=kind, count=count)
    return [code for code in codes if code]


def _read(
    name: PlatformName, *, headers: Mapping[str, str], body: bytes, about: NoticeKind | None, hooks: Hooks
) -> Sequence[Notice]:
    try:
        notices = hooks.read(name, headers, body)
        if about and not all(notice.kind is about and notice.account_id for notice in notices):
            raise NoticeRefused()
    except NoticeRefused:
        log.warning("notice_refused", platform=name)
        raise
    return notices


async def _leave(
    transactions: Transactions,
    name: PlatformName,
    person_id: str,
    notice: Notice,
    *,
    hooks: Hooks,
    vault: Vault,
) -> str | None:
    """End what the person connected before they left; the code if they asked for deletion."""
    removal = Removal(
        platform=name,
        notice_hash=hooks.digest(name, f"notice:{notice.notice_id}"),
        person_hash=hooks.digest(name, f"person:{person_id}"),
        code=new_code() if notice.kind is NoticeKind.ERASURE_REQUESTED else None,
    )
    async with transactions(Scope.worker()) as store:
        now = store.now()
        before = await store.notices.claim(removal, at=now)
        if before is not None:
            return before.code
        # Some notices do not say when it happened; then it is taken to have happened when it was first heard.
        ended = await store.withdrawals.end_account(name, person_id, left_at=notice.occurred_at or now, now=now)
        keys = await store.grants.shred(ended)
        await _note_erasures(store, removal, await store.withdrawals.erasures_of(name, person_id))
    for key in keys:
        await destroy_quietly(vault, key)
    log.info("person_left", platform=name, kind=notice.kind.value, connections=len(ended))
    return removal.code


async def _note_erasures(store: Store, removal: Removal, erasure_ids: Sequence[UUID]) -> None:
    await store.notices.note_erasures(removal, erasure_ids)
    if removal.code is not None:
        await store.notices.add_request(
            removal.code, removal.platform, await store.notices.opened(removal), requested_at=store.now()
        )


async def find_request(transactions: Transactions, code: str) -> DeletionRequest | None:
    if not is_code(code):
        return None
    async with transactions(Scope.worker()) as store:
        return await store.notices.request(code)


async def note_completed(event: ErasureCompletedV1, store: Store) -> None:
    await store.notices.note_completed(event.erasure_id, at=event.completed_at, final=event.final)
