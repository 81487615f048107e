"""Complete the account of a new person whom an OpenID provider vouched for: they tell what only they can."""

from __future__ import annotations

from dataclasses import dataclass

from kit.database import Scope
from kit.ids import new_id
from kit.secret import Secret

from auth.domain.accounts import Account, AccountState, SignUpClosed, SignUpMode, check_sign_up
from auth.domain.clients import Client
from auth.domain.openid import Identity, IdentityTaken, SignInUnknown, Waiting, browser_hash
from auth.ports.store import Store, Transactions
from auth.use_cases.sessions import SignedIn, open_session
from auth.use_cases.signing_up import SignUpPolicy, Verified, offer_to, register, register_invited


@dataclass(frozen=True)
class Details:
    """What no provider can attest. `invitation` is the token of one, where they were invited."""

    full_name: str | None
    company: str | None
    time_zone: str
    language: str
    age_attested: bool
    invitation: Secret | None = None


async def complete(
    transactions: Transactions, *, browser: Secret, details: Details, policy: SignUpPolicy, client: Client
) -> SignedIn | Verified:
    """The first session of a new account; where an operator decides, the account alone.

    Raises `Invalid`, `SignUpClosed`, `InvitationUnknown` and `InvitationOfAnother`, after which it can be tried again;
    `SignInUnknown`, `AddressTaken`.
    """
    async with transactions(Scope.nobody()) as store:
        waiting = await store.identities.waiting(browser_hash(browser))
        now = store.now()
    if waiting is None or waiting.expires_at <= now:
        raise SignInUnknown()
    check_sign_up(email=waiting.email, time_zone=details.time_zone, age_attested=details.age_attested, errors=[])
    invitation = details.invitation
    offer = await offer_to(transactions, waiting.email, invitation) if invitation else None
    if policy.mode is SignUpMode.CLOSED and offer is None:
        raise SignUpClosed()
    account_id = waiting.account_id
    scope = Scope.workspace(offer.workspace_id, account_id) if offer else Scope.account(account_id)
    async with transactions(scope) as store:
        if not await store.identities.take_waiting(account_id):
            raise SignInUnknown()
        await _add(store, waiting, details)
        if offer and invitation:
            await register_invited(store, account_id, offer, invitation)
        else:
            await register(store, account_id, waiting.email, policy=policy)
            if policy.mode.after_verification is AccountState.WAITING:
                return Verified(account_id, AccountState.WAITING)
        signed_in = await open_session(store, account_id, client)
        await store.sessions.date_proof(signed_in.session.session_id, None)
    return signed_in


async def _add(store: Store, waiting: Waiting, details: Details) -> None:
    now = store.now()
    account = Account(
        waiting.account_id,
        waiting.email,
        details.full_name or waiting.full_name,
        details.company,
        details.time_zone,
        details.language,
        now,
    )
    await store.accounts.add(account, age_attested_at=now)
    identity = Identity(new_id(), account.account_id, waiting.issuer, waiting.subject, waiting.email, now)
    if not await store.identities.add(identity):
        raise IdentityTaken()
