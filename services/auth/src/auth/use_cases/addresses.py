"""Change the e-mail address of an account: the new one is proved first, the old one is told."""

from __future__ import annotations

from contracts.auth import AccountUpdatedV1
from kit.database import Scope
from kit.passport import Caller
from kit.secret import Secret

from auth.domain.accounts import check_address, normalised
from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind, ProofPurpose, ProofUnknown
from auth.domain.security import SecurityKind
from auth.domain.sessions import hash_of
from auth.ports.store import Transactions
from auth.use_cases.accounts import read_account
from auth.use_cases.means import Means
from auth.use_cases.presence import prove_oneself


async def ask_for_address(means: Means, caller: Caller, *, email: str, password: Secret | None, client: Client) -> None:
    """Write to both addresses. Whether the new one is somebody else's shows only in the letter that comes there."""
    address = normalised(email)
    check_address(address)
    await prove_oneself(means, caller, password, client)
    account_id = caller.account
    async with means.transactions(Scope.account(account_id)) as store:
        account, now = await read_account(store, account_id), store.now()
        to_new = Letter(LetterKind.CHANGE_ADDRESS, address, account_id=account_id, subject_id=account_id)
        await store.letters.add(to_new, at=now)
        await store.letters.add(Letter(LetterKind.ADDRESS_CHANGE_ASKED, account.email, account_id=account_id), at=now)


async def confirm_address(transactions: Transactions, token: Secret, client: Client) -> None:
    """Raises `ProofUnknown`; `AddressTaken` if the address became another account's meanwhile."""
    async with transactions(Scope.nobody()) as store:
        proof = await store.proofs.find(hash_of(token), ProofPurpose.CHANGE_ADDRESS)
    if proof is None:
        raise ProofUnknown()
    account_id = proof.subject_id
    async with transactions(Scope.account(account_id)) as store:
        account = await store.accounts.find(account_id)
        if account is None or not await store.proofs.take(hash_of(token), ProofPurpose.CHANGE_ADDRESS):
            raise ProofUnknown()
        # Links to the old mailbox end with it.
        await store.proofs.cancel(account_id)
        await store.accounts.set_email(account_id, proof.address)
        store.emit(AccountUpdatedV1(account_id=account_id))
        now = store.now()
        await store.security.record(account_id, SecurityKind.ADDRESS_CHANGED, client, at=now)
        await store.letters.add(Letter(LetterKind.ADDRESS_CHANGED, account.email, account_id=account_id), at=now)
