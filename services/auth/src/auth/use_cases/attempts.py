"""Count tries to guess a secret, and let through only as many as `auth.domain.attempts` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.domain.attempts import TELL_EVERY, Counted, TooManyAttempts
from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind
from auth.domain.security import Familiarity, SecurityKind
from auth.ports.sign_in import Hide
from auth.ports.store import Store


@dataclass(frozen=True)
class Attempt:
    """One try that was let through. It counts as failed from the start: many at once are no way past the count."""

    keys: Mapping[Counted, bytes]


async def begin_attempt(
    store: Store, secret: str, *, account_id: UUID | None, address: str, client: Client, hide: Hide
) -> Attempt:
    """Let a try at `secret` (`password`, `second factor`) pass, or raise `TooManyAttempts`.

    `account_id` is None where no account has the address: then the same is done for the address alone.
    """
    now = store.now()
    owner = str(account_id or address)
    keys = _keys(f"{secret}:{owner}", client, await store.security.familiarity(account_id, client, now=now), hide)
    pauses: list[datetime] = []
    # Always in the same order, so that two who hold one row each do not wait for the other's.
    for counted, key in sorted(keys.items(), key=lambda item: item[1]):
        counter = await store.attempts.find(key)
        if pause := counter.pause(now):
            raise TooManyAttempts(retry_after=pause)
        counter = counter.with_failure(counted, now)
        await store.attempts.note(key, counter, account_id=account_id)
        if counter.blocked_until and counted is not Counted.NETWORK:
            pauses.append(counter.blocked_until)
    if pauses and account_id:
        await _tell(store, account_id, address, client, until=max(pauses), told_key=hide(f"told:{owner}"))
    return Attempt(keys)


async def forgive(store: Store, attempt: Attempt) -> None:
    """The try was right. For a network only this one is taken back: it may be one of many accounts tried from there."""
    for counted, key in attempt.keys.items():
        await store.attempts.forgive(key, one=counted is Counted.NETWORK)


def _keys(what: str, client: Client, familiarity: Familiarity, hide: Hide) -> dict[Counted, bytes]:
    if familiarity is Familiarity.FAMILIAR:
        return {Counted.FAMILIAR: hide(f"{what}:{client.network}:{client.device}")}
    return {Counted.ACCOUNT: hide(what), Counted.NETWORK: hide(f"network:{client.network}")}


async def _tell(
    store: Store, account_id: UUID, address: str, client: Client, *, until: datetime, told_key: bytes
) -> None:
    now = store.now()
    told = await store.attempts.find(told_key)
    if told.failed_at is not None and now < told.failed_at + TELL_EVERY:
        return
    await store.attempts.note(told_key, told.with_failure(Counted.ACCOUNT, now), account_id=account_id)
    await store.security.record(account_id, SecurityKind.LOCKED_OUT, client, at=now)
    facts = {"until": until.isoformat(timespec="minutes")}
    await store.letters.add(Letter(LetterKind.LOCKED_OUT, address, account_id=account_id, facts=facts), at=now)
