"""A grant that will be needed is fetched ahead, once for all who need it, and never kept for nobody."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
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
from sandbox.serving import LoopbackServer

from services.publisher.tests.neighbours import Auth


@pytest.fixture
async def grants(
    auth: Auth, keys_folder: Path, trusted: TrustedKeys, clock: MovableClock
) -> AsyncIterator[SharedGrants]:
    client = create_client("http://auth", InProcess({"auth": auth.app()}, "auth"))
    neighbour, shared = shared_grants(client, keys_folder, trusted, clock)
    async with shared.open():
        yield shared
    await neighbour.close()


def shared_grants(
    client: httpx.AsyncClient, keys_folder: Path, trusted: TrustedKeys, clock: MovableClock
) -> tuple[Neighbour, SharedGrants]:
    passports = Passports(SigningKey.load("publisher", keys_folder / "publisher.signing.pem"), trusted, clock)
    neighbour = Neighbour("auth", client, passports.issue_own, NoOpTracer())
    key = SealingKey.load(keys_folder / "publisher.sealing.pem")
    return neighbour, SharedGrants(Leases(neighbour, key, Purpose.PUBLISH), clock)


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


async def test_an_auth_that_hangs_does_not_keep_the_publisher_from_stopping(
    auth: Auth, keys_folder: Path, trusted: TrustedKeys, clock: MovableClock
):
    """It lent a grant and then stood still: the network accepts what nobody answers."""
    lending = LoopbackServer()
    await lending.start(auth.app())
    port = int(lending.base_url.rpartition(":")[2])
    neighbour, shared = shared_grants(create_client(lending.base_url, None), keys_folder, trusted, clock)
    with socket.socket() as hanging:
        async with shared.open(), shared.borrow(publication(auth, auth.connect(new_id()), clock)):
            await lending.stop()
            hanging.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            hanging.bind(("127.0.0.1", port))
            hanging.listen()
            begun = time.monotonic()
        took = time.monotonic() - begun
    await neighbour.close()
    assert took < 4
    assert auth.out


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
