"""Send the letters that are due: claimed for a while, put into words, carried, forgotten.

A letter goes out at least once. One whose answer was lost goes out again with the same Message-ID, and with another
token: the one before is good too, until either is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from kit.database import Scope

from auth.domain.letter_words import render
from auth.domain.letters import HOURLY_MAX, PROOF_LIFETIME, PROOF_OF, QUOTA_PERIOD, DueLetter, Proof
from auth.domain.sessions import hash_of, new_token
from auth.ports.letters import Carrier, Mail, MailPostponed, MailRefused, Post, PostClosed
from auth.ports.store import Store, Transactions

log = structlog.get_logger("letters")

AT_ONCE_MAX = 20
"""Letters of one connection."""

BATCH_SECONDS = 60.0
"""For all of them; a server that is slower than this has the rest later."""

LEASE = timedelta(minutes=3)
"""Longer than a batch takes, so that a letter is another sender's only if this one died."""


@dataclass(frozen=True)
class Ready:
    letter: DueLetter
    mail: Mail


async def send_due(transactions: Transactions, *, post: Post, web_url: str) -> int:
    """How many letters were taken up, whatever became of them."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        claimed = await store.letters.claim(now=now, until=now + LEASE, limit=AT_ONCE_MAX)
        ready = [each for letter in claimed if (each := await _prepare(store, letter, now, web_url))]
    if ready:
        await _carry(transactions, post, ready, now)
    return len(claimed)


async def _prepare(store: Store, claimed: DueLetter, now: datetime, web_url: str) -> Ready | None:
    letter = claimed.addressed()
    if letter is None or await _is_too_many(store, letter, now):
        await store.letters.remove(claimed.letter_id)
        log.info("letter_left_out", letter_id=str(claimed.letter_id), kind=claimed.kind)
        return None
    facts = dict(letter.facts) | {"web": web_url}
    purpose = PROOF_OF.get(letter.kind)
    if purpose is not None:
        token = new_token()
        proof = Proof(letter.subject_id or letter.letter_id, letter.account_id, letter.workspace_id, letter.address)
        await store.proofs.add(hash_of(token), purpose, proof, expires_at=now + PROOF_LIFETIME[purpose])
        # Behind the # it stays in the browser: no server's log and no Referer shows it.
        facts["link"] = f"{web_url}/#/{purpose.value.replace('_', '-')}?token={token.reveal()}"
    words = render(letter.kind, facts, letter.language)
    mail = Mail(letter.letter_id, letter.kind, letter.address, words.language, words.subject, words.text, words.html)
    return Ready(letter, mail)


async def _is_too_many(store: Store, letter: DueLetter, now: datetime) -> bool:
    if letter.kind not in HOURLY_MAX:
        return False
    since = now - QUOTA_PERIOD
    sent = await store.letters.count_sent(letter.address, letter.kind, since=since, besides=letter.letter_id)
    if sent >= HOURLY_MAX[letter.kind]:
        return True
    await store.letters.note_sent(letter, at=now)
    return False


async def _carry(transactions: Transactions, post: Post, ready: Sequence[Ready], now: datetime) -> None:
    done = 0
    try:
        async with asyncio.timeout(BATCH_SECONDS), post.open() as carrier:
            for each in ready:
                await _carry_one(transactions, carrier, each, now)
                done += 1
    except (PostClosed, TimeoutError) as error:
        code = error.code if isinstance(error, PostClosed) else "time-out"
        log.warning("post_closed", code=code, letters=len(ready) - done)
        for each in ready[done:]:
            await _try_again(transactions, each.letter, code)


async def _carry_one(transactions: Transactions, carrier: Carrier, each: Ready, now: datetime) -> None:
    letter = each.letter
    try:
        await carrier.carry(each.mail, at=now)
    except MailRefused as refusal:
        await _drop(transactions, letter, refusal.code)
    except MailPostponed as error:
        await _try_again(transactions, letter, error.code)
    except PostClosed:
        raise
    except Exception as error:
        # A defect of ours in one letter must not hold up the others. Its text is left out: it could quote the letter.
        await _try_again(transactions, letter, type(error).__name__)
    else:
        async with transactions(Scope.worker()) as store:
            await store.letters.remove(letter.letter_id)
        log.info("letter_sent", letter_id=str(letter.letter_id), kind=letter.kind, attempts=letter.attempts)


async def _try_again(transactions: Transactions, letter: DueLetter, code: str) -> None:
    async with transactions(Scope.worker()) as store:
        at = letter.next_attempt(store.now())
        if at is not None:
            await store.letters.postpone(letter.letter_id, until=at)
    if at is None:
        await _drop(transactions, letter, code)


async def _drop(transactions: Transactions, letter: DueLetter, code: str) -> None:
    async with transactions(Scope.worker()) as store:
        await store.letters.drop(letter.letter_id, letter.kind, code)
    log.error("letter_dropped", letter_id=str(letter.letter_id), kind=letter.kind, code=code, attempts=letter.attempts)
