"""Whatever people do to each other's membership, in any order: somebody owns the workspace, and nobody rises by it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.adapters.store import PostgresStore
from auth.domain.letters import Proof, ProofPurpose
from auth.domain.sessions import hash_of
from auth.ports.store import Store, Transactions
from auth.use_cases import invitations, members
from auth.use_cases.workspaces import create_workspace
from contracts.access import Role, covers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import Problem
from kit.secret import Secret
from kit.testing.services import ServiceEnvironment

PEOPLE = 4
person, role = st.integers(0, PEOPLE - 1), st.sampled_from(Role)


@dataclass
class World:
    """The database, and an event loop to talk to it from hypothesis's plain functions."""

    loop: asyncio.AbstractEventLoop
    database: Database
    callers: list[Caller] = field(default_factory=list)

    @property
    def transactions(self) -> Transactions:
        return Units[Store](self.database, PostgresStore)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)


def sign_up(superuser: psycopg.Connection[Any], number: int, clock: MovableClock) -> Caller:
    caller = Caller(new_id(), new_id())
    superuser.execute(
        "INSERT INTO account (account_id, email, time_zone, language, age_attested_at, created_at, state)"
        " VALUES (%s, %s, 'UTC', 'en', now(), now(), 'active')",
        (caller.account_id, f"person-{number}@example.com"),
    )
    superuser.execute(
        "INSERT INTO session (session_id, account_id, token_hash, created_at, last_used_at, proved_at, expires_at)"
        " VALUES (%s, %s, %s, now(), now(), %s, %s)",
        (
            caller.session_id, caller.account_id, secrets.token_bytes(32), clock.now(),
            clock.now() + timedelta(days=1),
        ),
    )  # fmt: skip
    return caller


class Membership(RuleBasedStateMachine):
    """People who invite, accept, change, remove, leave and hand on."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        # By the invited: the token of the letter, and what the inviter was.
        self.letters: dict[int, tuple[Secret, Role]] = {}

    @initialize()
    def open_a_workspace(self) -> None:
        owner = self.world.callers[0].account
        opening = create_workspace(self.world.transactions, account_id=owner, name="Acorn", time_zone="UTC")
        self.workspace_id: UUID = self.world.run(opening)
        self.world.run(self._add_others())
        self.before = self.roles()

    async def _add_others(self) -> None:
        async with self.world.transactions(Scope.workspace(self.workspace_id)) as store:
            for caller, role in zip(self.world.callers[1:], (Role.OWNER, Role.ADMIN), strict=False):
                await store.members.add(self.workspace_id, caller.account, role, at=store.now())

    def roles(self) -> dict[int, Role]:
        async def read() -> dict[int, Role]:
            async with self.world.transactions(Scope.workspace(self.workspace_id)) as store:
                found = {
                    each.account_id: Role(each.role) for each in await store.members.of_workspace(self.workspace_id)
                }
            return {n: found[c.account] for n, c in enumerate(self.world.callers) if c.account in found}

        roles: dict[int, Role] = self.world.run(read())
        return roles

    def act(self, by: int, work: Callable[[Store, UUID], Awaitable[Any]]) -> Any:
        """What comes of it, or None if it was refused."""
        return self.world.run(self._act(by, work))

    async def _act(self, by: int, work: Callable[[Store, UUID], Awaitable[Any]]) -> Any:
        account_id = self.world.callers[by].account
        try:
            async with self.world.transactions(Scope.workspace(self.workspace_id, account_id)) as store:
                return await work(store, account_id)
        except Problem:
            return None

    def check(self, by: Role | None) -> None:
        """Whoever is something else now was changed by one who may do all that they could and can do."""
        after = self.roles()
        for number in range(PEOPLE):
            was, now = self.before.get(number), after.get(number)
            if was is not now:
                assert by is not None, (self.before, after)
                assert all(role is None or covers(by, role) for role in (was, now)), (by, self.before, after)
        self.before = after

    @rule(by=person, whom=person, wanted=role)
    def invite(self, by: int, whom: int, wanted: Role) -> None:
        made = self.act(
            by,
            lambda store, account_id: invitations.invite(
                store, workspace_id=self.workspace_id, by=account_id, email=f"person-{whom}@example.com", role=wanted
            ),
        )
        if made:
            assert covers(self.before[by], wanted)
            self.letters[whom] = (self.world.run(self._letter(made)), self.before[by])

    async def _letter(self, made: Any) -> Secret:
        """The token that the letter brings when it is sent."""
        token = Secret(secrets.token_urlsafe())
        async with self.world.transactions(Scope.worker()) as store:
            proof = Proof(made.invitation_id, None, self.workspace_id, made.email)
            await store.proofs.add(hash_of(token), ProofPurpose.INVITATION, proof, expires_at=made.expires_at)
        return token

    @rule(whom=person)
    def accept(self, whom: int) -> None:
        token, inviter_was = self.letters.get(whom, (Secret("none"), None))
        accepting = invitations.accept(
            self.world.transactions, account_id=self.world.callers[whom].account, token=token
        )
        with suppress(Problem):
            self.world.run(accepting)
        self.check(inviter_was)

    @rule(by=person, whom=person, wanted=role)
    def change(self, by: int, whom: int, wanted: Role) -> None:
        self.act(by, lambda store, account_id: self._change(store, account_id, whom, wanted))
        self.check(self.before.get(by))

    def _change(self, store: Store, by: UUID, whom: int, wanted: Role) -> Awaitable[None]:
        target = self.world.callers[whom].account
        return members.change_role(store, workspace_id=self.workspace_id, by=by, account_id=target, role=wanted)

    @rule(by=person, whom=person)
    def remove_or_leave(self, by: int, whom: int) -> None:
        target = self.world.callers[whom].account
        self.act(
            by,
            lambda store, account_id: members.remove_member(
                store, workspace_id=self.workspace_id, by=account_id, account_id=target
            ),
        )
        self.check(self.before.get(by))

    @rule(by=person, whom=person)
    def hand_on(self, by: int, whom: int) -> None:
        caller, target = self.world.callers[by], self.world.callers[whom].account
        self.act(
            by,
            lambda store, _: members.transfer_ownership(
                store, workspace_id=self.workspace_id, caller=caller, account_id=target
            ),
        )
        self.check(self.before.get(by))

    def owners(self) -> list[int]:
        return [number for number, role in self.before.items() if role is Role.OWNER]

    @precondition(lambda self: len(self.owners()) == 2)
    @rule(wanted=role)
    def both_owners_step_down_at_once(self, wanted: Role) -> None:
        async def together() -> None:
            await asyncio.gather(*(self._act(each, partial(self._step_down, each, wanted)) for each in self.owners()))

        self.world.run(together())
        self.check(Role.OWNER)

    def _step_down(self, owner: int, wanted: Role, store: Store, by: UUID) -> Awaitable[None]:
        return self._change(store, by, owner, wanted)

    @invariant()
    def somebody_owns_it(self) -> None:
        assert Role.OWNER in self.before.values()


@pytest.mark.promise("P07")
def test_nobody_rises_above_who_let_them_and_somebody_stays_the_owner(
    service_environment: ServiceEnvironment, clock: MovableClock
):
    environment = service_environment("auth")
    database = Database("auth", Secret(environment["DATABASE_URL_AUTH"]), clock, connections_max=2)
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_AUTH"], autocommit=True) as superuser:
        callers = [sign_up(superuser, number, clock) for number in range(PEOPLE)]
    with asyncio.Runner() as runner:
        runner.run(database.open())
        world = World(runner.get_loop(), database, callers)
        try:
            run_state_machine_as_test(
                partial(Membership, world),  # type: ignore[arg-type]  # whatever makes a machine will do
                settings=settings(
                    max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            runner.run(database.close())
