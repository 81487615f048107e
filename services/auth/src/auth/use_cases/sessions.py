"""Open sessions, turn one into a passport's caller, end them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import NotFound, Unauthenticated
from kit.secret import Secret

from auth.domain.accounts import CredentialsRefused
from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind
from auth.domain.presence import SecondFactorRequired
from auth.domain.security import Familiarity, SecurityKind
from auth.domain.sessions import AT_MOST, LIFETIME, Session, hash_of, new_token
from auth.ports.store import Store, Transactions
from auth.use_cases.accounts import read_account


@dataclass(frozen=True)
class SignedIn:
    """A session, and the token that opens it."""

    session: Session
    token: Secret


async def open_session(store: Store, account_id: UUID, client: Client, *, strong: bool = False) -> SignedIn:
    """A session for who has proved to be this person, with a second factor if it is `strong`.

    They are told if it is from a device that was not seen before. Raises `CredentialsRefused` for a deleted account.
    """
    now, token = store.now(), new_token()
    familiarity = await store.security.familiarity(account_id, client, now=now)
    session = Session(new_id(), account_id, now + LIFETIME)
    if not await store.sessions.add(session, hash_of(token), client=client, strong=strong, at=now, at_most=AT_MOST):
        raise CredentialsRefused()
    await store.security.record(account_id, SecurityKind.SIGNED_IN, client, at=now, session_id=session.session_id)
    if familiarity is Familiarity.NEW and client.address:
        account = await read_account(store, account_id)
        facts = {"at": now.isoformat(timespec="minutes"), "device": client.device, "place": client.address}
        letter = Letter(LetterKind.NEW_SIGN_IN, account.email, account_id=account_id, facts=facts)
        await store.letters.add(letter, at=now)
    return SignedIn(session, token)


async def renew(store: Store, caller: Caller, *, strong: bool = False) -> SignedIn:
    """Note a proof and change the token, so that one who got hold of the old one gains nothing by it."""
    token = new_token()
    session = caller.session_id and await store.sessions.renew(
        caller.session_id, hash_of(token), strong=strong, at=store.now()
    )
    if not session:
        # Ended since the passport was issued.
        raise Unauthenticated()
    return SignedIn(session, token)


async def identify(transactions: Transactions, *, token: Secret, workspace_id: UUID | None) -> Caller:
    """Who holds a session, in a workspace or in none.

    Raises `Unauthenticated`; `NotFound` for a workspace that the person is no member of, existing or not;
    `SecondFactorRequired`.
    """
    async with transactions.glance() as store:
        now = store.now()
        holder = await store.sessions.holder_of(hash_of(token), workspace_id)
    if holder is None or not holder.is_alive(now):
        raise Unauthenticated()
    if holder.is_stale(now):
        async with transactions(Scope.account(holder.account_id)) as store:
            await store.sessions.touch(holder.session_id, at=now)
    role = holder.as_member()
    if workspace_id is not None and role is None:
        raise NotFound()
    if holder.second_factor_missing:
        raise SecondFactorRequired()
    return Caller(holder.account_id, holder.session_id, workspace_id, role)


async def end_session(store: Store, caller: Caller, session_id: UUID, client: Client) -> None:
    """End one of the caller's sessions. Raises `NotFound`."""
    if not await store.sessions.end(session_id):
        raise NotFound()
    await store.security.record(
        caller.account, SecurityKind.SESSION_ENDED, client, at=store.now(), session_id=session_id
    )


async def end_sessions(store: Store, caller: Caller, client: Client, *, keep_present: bool) -> int:
    """Sign out everywhere, or everywhere else; how many sessions ended."""
    kept = caller.session_id if keep_present else None
    ended = await store.sessions.end_all(caller.account, but=kept)
    await store.security.record(caller.account, SecurityKind.SESSIONS_ENDED, client, at=store.now(), session_id=kept)
    return ended
