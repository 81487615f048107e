"""Link identities at providers to an account, and unlink them while there is another way in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import NotFound

from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind
from auth.domain.openid import (
    IDENTITIES_MAX,
    Identity,
    IdentityTaken,
    LastWayIn,
    SignInMode,
    SignInUnknown,
    Started,
    TooManyIdentities,
    Vouched,
)
from auth.domain.security import SecurityKind
from auth.ports.openid import Providers
from auth.ports.store import Store, Transactions
from auth.use_cases.accounts import read_account
from auth.use_cases.means import Means
from auth.use_cases.presence import check_recent


@dataclass(frozen=True)
class Ways:
    """What signing in through providers works with."""

    means: Means
    providers: Providers

    @property
    def transactions(self) -> Transactions:
        return self.means.transactions


async def link(
    transactions: Transactions, started: Started, vouched: Vouched, client: Client, *, label: str
) -> Identity:
    """The identity, linked to the account of the session that the person left from."""
    if started.account_id is None or started.session_id is None:
        raise SignInUnknown()
    async with transactions(Scope.account(started.account_id)) as store:
        if await store.sessions.proof(started.session_id) is None:
            # Signed out meanwhile.
            raise SignInUnknown()
        known = await store.identities.of_account(started.account_id)
        for identity in known:
            if (identity.issuer, identity.subject) == (vouched.issuer, vouched.subject):
                return identity
        if len(known) >= IDENTITIES_MAX:
            raise TooManyIdentities()
        identity = Identity(new_id(), started.account_id, vouched.issuer, vouched.subject, vouched.email, store.now())
        if not await store.identities.add(identity):
            raise IdentityTaken()
        await _tell(store, started.account_id, started.session_id, client, label)
    return identity


async def _tell(store: Store, account_id: UUID, session_id: UUID, client: Client, label: str) -> None:
    now, account = store.now(), await read_account(store, account_id)
    await store.security.record(account_id, SecurityKind.IDENTITY_LINKED, client, at=now, session_id=session_id)
    letter = Letter(LetterKind.IDENTITY_LINKED, account.email, account_id=account_id, facts={"provider": label})
    await store.letters.add(letter, at=now)


async def unlink(ways: Ways, caller: Caller, identity_id: UUID, client: Client) -> None:
    """Raises `NotFound`; `LastWayIn` where nobody could sign in afterwards."""
    async with ways.transactions(Scope.account(caller.account)) as store:
        await check_recent(store, caller)
        known = await store.identities.of_account(caller.account)
        rest = [identity for identity in known if identity.identity_id != identity_id]
        if len(rest) == len(known):
            raise NotFound()
        issuers = {provider.issuer for provider in ways.providers.all}
        by_provider = any(identity.issuer in issuers for identity in rest)
        if not by_provider and not await _has_own_way(ways.means, store, caller):
            raise LastWayIn()
        await store.identities.remove(identity_id)
        await store.security.record(
            caller.account, SecurityKind.IDENTITY_UNLINKED, client, at=store.now(), session_id=caller.session_id
        )


async def _has_own_way(means: Means, store: Store, caller: Caller) -> bool:
    """Whether the person could still sign in without any provider."""
    if means.sign_in is SignInMode.OPENID:
        return False
    if await store.accounts.password_hash(caller.account) is not None:
        return True
    enrolled = await store.second_factors.enrolled(caller.account)
    return enrolled.passkeys > 0 and means.offered_authenticators is not None
