"""Choose a new password with a letter, when the old one is forgotten."""

from __future__ import annotations

from kit.database import Scope
from kit.problems import Invalid
from kit.secret import Secret

from auth.domain.accounts import check_address, normalised
from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind, ProofPurpose, ProofUnknown
from auth.domain.passwords import AboutPerson
from auth.domain.sessions import hash_of
from auth.ports.store import Store
from auth.use_cases.means import Means
from auth.use_cases.password_rules import errors_of
from auth.use_cases.passwords import replace_password


async def ask_for_reset(store: Store, email: str) -> None:
    """Send a link to whose address it is, if it is somebody's; who asks learns nothing."""
    address = normalised(email)
    check_address(address)
    await store.letters.add(Letter(LetterKind.RESET_PASSWORD, address), at=store.now())


async def reset_password(means: Means, token: Secret, password: Secret, client: Client) -> None:
    """Every session ends: whoever knew the old password may hold one. Raises `ProofUnknown`, `Invalid`.

    It opens none: signing in asks for what else there is to prove, a second factor for example.
    """
    async with means.transactions(Scope.nobody()) as store:
        proof = await store.proofs.find(hash_of(token), ProofPurpose.RESET_PASSWORD)
    if proof is None:
        raise ProofUnknown()
    account_id = proof.subject_id
    async with means.transactions(Scope.account(account_id)) as store:
        account = await store.accounts.find(account_id)
    if account is None:
        raise ProofUnknown()
    if errors := await errors_of(password, AboutPerson(account.email, account.full_name, account.company)):
        raise Invalid(errors=errors)
    password_hash = await means.hashes.make(password)
    async with means.transactions(Scope.account(account_id)) as store:
        if not await store.proofs.take(hash_of(token), ProofPurpose.RESET_PASSWORD):
            raise ProofUnknown()
        await replace_password(store, account_id, password_hash, client)
