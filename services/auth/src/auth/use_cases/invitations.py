"""Invite people by mail, and let in who shows the token of such a letter.

Whether the address has an account is neither looked up nor told: the letter goes there in any case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from contracts.access import Permission, Role
from contracts.auth import MemberAddedV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import NotFound
from kit.secret import Secret

from auth.domain.accounts import check_address, normalised
from auth.domain.invitations import (
    LETTERS_A_DAY_MAX,
    LIFETIME,
    PENDING_MAX,
    AlreadyInvited,
    Invitation,
    InvitationOfAnother,
    InvitationUnknown,
    Offer,
    TooManyInvitations,
    TooManyLetters,
)
from auth.domain.letters import Letter, LetterKind, ProofPurpose
from auth.domain.sessions import hash_of
from auth.domain.workspaces import MEMBERS_MAX, AlreadyMember, WorkspaceFull, check_may_give
from auth.ports.store import Store, Transactions
from auth.use_cases.accounts import read_account
from auth.use_cases.members import hold_as


@dataclass(frozen=True)
class Joined:
    """Where a person is a member now, and as what."""

    workspace_id: UUID
    role: str


async def invite(store: Store, *, workspace_id: UUID, by: UUID, email: str, role: Role) -> Invitation:
    """An open invitation, its letter on the way.

    Raises `Invalid`, `RoleBeyondOwn`, `AlreadyMember`, `AlreadyInvited`, `TooManyInvitations`, `TooManyLetters`.
    """
    address = normalised(email)
    check_address(address)
    check_may_give(await hold_as(store, workspace_id, by, Permission.MEMBER_MANAGE), role)
    if any(member.email == address for member in await store.members.of_workspace(workspace_id)):
        raise AlreadyMember()
    now = store.now()
    if len(await store.invitations.of_workspace(workspace_id, now=now)) >= PENDING_MAX:
        raise TooManyInvitations()
    invitation = Invitation(new_id(), address, role, by, now, now + LIFETIME)
    if not await store.invitations.add(workspace_id, invitation):
        raise AlreadyInvited()
    await _write(store, workspace_id, invitation, by)
    return invitation


async def list_invitations(store: Store, workspace_id: UUID) -> list[Invitation]:
    return list(await store.invitations.of_workspace(workspace_id, now=store.now()))


async def send_again(store: Store, *, workspace_id: UUID, by: UUID, invitation_id: UUID) -> Invitation:
    """The invitation with another letter on the way and its full time again. Raises as `invite` does."""
    own = await hold_as(store, workspace_id, by, Permission.MEMBER_MANAGE)
    invitation = await _find(store, workspace_id, invitation_id)
    check_may_give(own, Role(invitation.role))
    prolonged = replace(invitation, expires_at=store.now() + LIFETIME)
    await store.invitations.prolong(invitation_id, expires_at=prolonged.expires_at)
    await _write(store, workspace_id, prolonged, by)
    return prolonged


async def withdraw(store: Store, *, workspace_id: UUID, by: UUID, invitation_id: UUID) -> None:
    own = await hold_as(store, workspace_id, by, Permission.MEMBER_MANAGE)
    invitation = await _find(store, workspace_id, invitation_id)
    check_may_give(own, Role(invitation.role))
    await store.invitations.end(invitation_id)


async def accept(transactions: Transactions, *, account_id: UUID, token: Secret) -> Joined:
    """Become a member. The account's address must be the one that the letter went to.

    Raises `InvitationUnknown`, `InvitationOfAnother`, `AlreadyMember`, `WorkspaceFull`.
    """
    async with transactions(Scope.nobody()) as store:
        workspace_id = (await read_offer(store, token)).workspace_id
    async with transactions(Scope.workspace(workspace_id, account_id)) as store:
        account = await read_account(store, account_id)
        return await join(store, workspace_id, token, account_id, account.email)


async def read_offer(store: Store, token: Secret) -> Offer:
    """What the token of a letter is for; raises `InvitationUnknown`."""
    proof = await store.proofs.find(hash_of(token), ProofPurpose.INVITATION)
    if proof is None or proof.workspace_id is None:
        raise InvitationUnknown()
    return Offer(proof.workspace_id, proof.address)


async def join(store: Store, workspace_id: UUID, token: Secret, account_id: UUID, email: str) -> Joined:
    """Make who has this address a member, once. The store's scope is the workspace with the person."""
    if not await store.workspaces.hold(workspace_id):
        raise InvitationUnknown()
    proof = await store.proofs.take(hash_of(token), ProofPurpose.INVITATION)
    # Withdrawn, voided or over since the letter was sent.
    invitation = proof and await store.invitations.find(workspace_id, proof.subject_id, now=store.now())
    if not invitation:
        raise InvitationUnknown()
    if invitation.email != email:
        raise InvitationOfAnother()
    await store.invitations.end(invitation.invitation_id)
    if await store.members.count(workspace_id) >= MEMBERS_MAX:
        raise WorkspaceFull()
    role = Role(invitation.role)
    if not await store.members.add(workspace_id, account_id, role, at=store.now()):
        raise AlreadyMember()
    store.emit(MemberAddedV1(workspace_id=workspace_id, account_id=account_id, role=role))
    return Joined(workspace_id, role)


async def _find(store: Store, workspace_id: UUID, invitation_id: UUID) -> Invitation:
    invitation = await store.invitations.find(workspace_id, invitation_id, now=store.now())
    if invitation is None:
        raise InvitationUnknown()
    return invitation


async def _write(store: Store, workspace_id: UUID, invitation: Invitation, by: UUID) -> None:
    now = store.now()
    if not await store.invitations.count_letter(by, now.date(), at_most=LETTERS_A_DAY_MAX):
        raise TooManyLetters()
    workspace = await store.workspaces.find(workspace_id)
    if workspace is None:
        raise NotFound()
    inviter = await read_account(store, by)
    letter = Letter(
        LetterKind.INVITATION,
        invitation.email,
        workspace_id=workspace_id,
        subject_id=invitation.invitation_id,
        facts={"workspace": workspace.name, "inviter": inviter.full_name or inviter.email, "role": invitation.role},
    )
    await store.letters.add(letter, at=now)
