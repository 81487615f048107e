"""Sign up, and prove that the address is one's own.

A request looks at nobody's account, so that neither its answer nor its time tells which addresses are known: it only
writes. Whose address it is is seen when the letter is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from contracts.auth import AccountRegisteredV1
from kit.database import Scope
from kit.ids import new_id
from kit.secret import Secret

from auth.domain.accounts import (
    Account,
    AccountState,
    SignUpClosed,
    SignUpMode,
    check_address,
    check_sign_up,
    normalised,
)
from auth.domain.invitations import InvitationOfAnother, Offer
from auth.domain.letters import Letter, LetterKind, ProofPurpose, ProofUnknown
from auth.domain.passwords import AboutPerson
from auth.domain.sessions import hash_of
from auth.ports.people import PasswordHashes
from auth.ports.store import Store, Transactions
from auth.use_cases.invitations import join, read_offer
from auth.use_cases.password_rules import errors_of


@dataclass(frozen=True)
class SignUpPolicy:
    """Who may sign up, and who is told where an operator decides."""

    mode: SignUpMode
    operator_address: str | None = None


@dataclass(frozen=True)
class SignUp:
    """What a new person tells. `invitation` is the token of one, where they were invited."""

    email: str
    password: Secret
    full_name: str | None
    company: str | None
    time_zone: str
    language: str
    age_attested: bool
    invitation: Secret | None = None


@dataclass(frozen=True)
class Verified:
    account_id: UUID
    state: AccountState


async def sign_up(transactions: Transactions, asked: SignUp, *, hashes: PasswordHashes, policy: SignUpPolicy) -> None:
    """Write to the address that there will be an account. With an invitation there is one at once.

    Raises `Invalid`, `SignUpClosed`; with an invitation `InvitationUnknown`, `InvitationOfAnother`, `AddressTaken`.
    """
    email = normalised(asked.email)
    errors = await errors_of(asked.password, AboutPerson(email, asked.full_name, asked.company))
    check_sign_up(email=email, time_zone=asked.time_zone, age_attested=asked.age_attested, errors=errors)
    if asked.invitation is not None:
        await _sign_up_invited(transactions, asked, email, asked.invitation, hashes=hashes)
        return
    if policy.mode is SignUpMode.CLOSED:
        raise SignUpClosed()
    password_hash = await hashes.make(asked.password)
    account_id = new_id()
    async with transactions(Scope.account(account_id)) as store:
        await _add(store, account_id, asked, email, password_hash)
        letter = Letter(LetterKind.VERIFY_ADDRESS, email, account_id=account_id, subject_id=account_id)
        await store.letters.add(letter, at=store.now())


async def _sign_up_invited(
    transactions: Transactions, asked: SignUp, email: str, invitation: Secret, *, hashes: PasswordHashes
) -> None:
    """A member at once: the token proves the address, and that somebody here knows the person."""
    offer = await offer_to(transactions, email, invitation)
    password_hash = await hashes.make(asked.password)
    account_id = new_id()
    async with transactions(Scope.workspace(offer.workspace_id, account_id)) as store:
        await _add(store, account_id, asked, email, password_hash)
        await register_invited(store, account_id, offer, invitation)


async def offer_to(transactions: Transactions, email: str, invitation: Secret) -> Offer:
    """What a new person with this address is invited to. Raises `InvitationUnknown`, `InvitationOfAnother`."""
    async with transactions(Scope.nobody()) as store:
        offer = await read_offer(store, invitation)
    if offer.address != email:
        raise InvitationOfAnother()
    return offer


async def register_invited(store: Store, account_id: UUID, offer: Offer, invitation: Secret) -> None:
    """Let an account exist, as a member; in the scope of the workspace with the person. Raises `AddressTaken`."""
    await store.accounts.set_state(account_id, AccountState.ACTIVE, before=AccountState.UNVERIFIED)
    store.emit(AccountRegisteredV1(account_id=account_id))
    await join(store, offer.workspace_id, invitation, account_id, offer.address)


async def _add(store: Store, account_id: UUID, asked: SignUp, email: str, password_hash: str) -> None:
    now = store.now()
    account = Account(account_id, email, asked.full_name, asked.company, asked.time_zone, asked.language, now)
    await store.accounts.add(account, age_attested_at=now)
    await store.accounts.set_password_hash(account_id, password_hash, at=now)


async def ask_for_verification(store: Store, email: str) -> None:
    """Send the link again to who signed up with this address, if somebody did."""
    address = normalised(email)
    check_address(address)
    await store.letters.add(Letter(LetterKind.VERIFY_ADDRESS, address), at=store.now())


async def verify_address(transactions: Transactions, token: Secret, *, policy: SignUpPolicy) -> Verified:
    """The account that exists from now on. Raises `ProofUnknown`; `AddressTaken` if another sign-up was first."""
    async with transactions(Scope.nobody()) as store:
        proof = await store.proofs.find(hash_of(token), ProofPurpose.VERIFY_ADDRESS)
    if proof is None:
        raise ProofUnknown()
    account_id = proof.subject_id
    async with transactions(Scope.account(account_id)) as store:
        if not await store.proofs.take(hash_of(token), ProofPurpose.VERIFY_ADDRESS):
            raise ProofUnknown()
        if not await register(store, account_id, proof.address, policy=policy):
            raise ProofUnknown()
    return Verified(account_id, policy.mode.after_verification)


async def register(store: Store, account_id: UUID, address: str, *, policy: SignUpPolicy) -> bool:
    """Let an account exist whose address is proved to be its own, or wait for an operator; False if it did before.

    Raises `AddressTaken` if another sign-up was first.
    """
    state = policy.mode.after_verification
    if not await store.accounts.set_state(account_id, state, before=AccountState.UNVERIFIED):
        return False
    store.emit(AccountRegisteredV1(account_id=account_id))
    if state is AccountState.WAITING and policy.operator_address:
        facts = {"email": address, "account_id": str(account_id), "language": "en"}
        await store.letters.add(
            Letter(LetterKind.APPROVAL_WAITING, policy.operator_address, account_id=account_id, facts=facts),
            at=store.now(),
        )
    return True
