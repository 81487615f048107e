"""A grant that will be needed is fetched ahead, once for all who need it, and never kept for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from contracts.leases import Purpose
from kit.calls import InProcess, Neighbour, create_client
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import SealingKey, SigningKey, TrustedKeys
from kit.passport import Passports
from kit.testing import wait_for
from opentelemetry.trace import NoOpTracer
from platforms.leasing import Leases
from publisher.adapters.grants import SharedGrants
from publisher.domain.publication import Publication
from publisher.ports import GrantRefused

from services.publisher.tests.neighbours import Auth


@pytest.fixture
async def grants(
    auth: Auth, keys_folder: Path, trusted: TrustedKeys, clock: MovableClock
) -> AsyncIterator[SharedGrants]:
    passports = Passports(SigningKey.load("publisher", keys_folder / "publisher.signing.pem"), trusted, clock)
    transport = InProcess({"auth": auth.app()}, "auth")
    neighbour = Neighbour("auth", create_client("http://auth", transport), passports.issue_own, NoOpTracer())
    key = SealingKey.load(keys_folder / "publisher.sealing.pem")
    shared = SharedGrants(Leases(neighbour, key, Purpose.PUBLISH), clock)
    async with shared.open():
        yield shared
    await neighbour.close()


def publication(auth: Auth, connection_id: UUID, clock: MovableClock) -> Publication:
    return Publication(
        publication_id=new_id(),
        workspace_id=auth.workspaces[connection_id],
        schedule_id=new_id(),
        occurrence=1,
        post_id=new_id(),
        revision_id=new_id(),
        connection_id=connection_id,
        due_at=clock.now(),
        created_at=clock.now(),
    )


async def test_an_expected_grant_is_fetched_once_for_all_who_borrow_it(
    grants: SharedGrants, auth: Auth, clock: MovableClock
):
    connection_id = auth.connect(new_id())
    for _ in range(3):
        grants.expect(connection_id)

    async def token() -> str:
        async with grants.borrow(publication(auth, connection_id, clock)) as grant:
            grants.expect(connection_id)
            return grant.access_token.reveal()

    assert set(await asyncio.gather(token(), token())) == {f"token-of-{connection_id}"}
    assert auth.asked == [{connection_id}]


async def test_an_expected_grant_that_nobody_borrows_is_given_back(grants: SharedGrants, auth: Auth):
    grants.expect(auth.connect(new_id()))
    await wait_for(lambda: auth.out)
    await wait_for(lambda: not auth.out)


async def test_what_kept_an_expected_grant_is_told_to_whoever_borrows_it(
    grants: SharedGrants, auth: Auth, clock: MovableClock
):
    connection_id = auth.connect(new_id())
    auth.refusals[connection_id] = "refreshing"
    grants.expect(connection_id)
    with pytest.raises(GrantRefused) as refused:
        async with grants.borrow(publication(auth, connection_id, clock)):
            pass
    assert refused.value.code == "refreshing"
    # The refusal is not kept: it was about that moment.
    del auth.refusals[connection_id]
    async with grants.borrow(publication(auth, connection_id, clock)) as grant:
        assert grant.access_token.reveal() == f"token-of-{connection_id}"


async def test_who_gives_up_waiting_takes_the_expected_grant_from_nobody(
    grants: SharedGrants, auth: Auth, clock: MovableClock
):
    connection_id = auth.connect(new_id())

    async def borrowed() -> bool:
        async with grants.borrow(publication(auth, connection_id, clock)):
            return True

    gone, stays = asyncio.ensure_future(borrowed()), asyncio.ensure_future(borrowed())
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    assert gone.cancelled()
    assert auth.asked == [{connection_id}]


async def test_a_grant_that_ends_soon_is_fetched_anew(grants: SharedGrants, auth: Auth, clock: MovableClock):
    connection_id = auth.connect(new_id())
    async with grants.borrow(publication(auth, connection_id, clock)):
        clock.advance(timedelta(seconds=6))
        grants.expect(connection_id)
        await wait_for(lambda: len(auth.out) == 2)
    await wait_for(lambda: not auth.out)
