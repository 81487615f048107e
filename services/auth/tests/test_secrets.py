"""Tokens stay in the vault: looked for, in every spelling, wherever they could have leaked to."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from contracts import topology
from contracts.auth import ConnectionReauthRequiredV1, ConnectionRefreshedV1
from kit.clock import MovableClock
from kit.testing.services import Bus
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg import sql
from sandbox.server import Sandbox

from services.auth.tests.client import PASSWORD, Room, Superuser
from services.auth.tests.test_leases import TOKEN
from services.auth.tests.test_refreshing import move_to

Rows = psycopg.Connection[Any]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Every log line of the test, before the redaction of production would help."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def tokens_of(sandbox: Sandbox) -> set[str]:
    """Every token that the platforms hold valid now, and the password."""
    found = {PASSWORD}
    for grant in sandbox.tiktok.state.grants:
        found |= {grant.access_token, grant.refresh_token}
    for session in sandbox.bluesky.state.sessions:
        found |= {session.access_token, session.refresh_token, *session.used_refresh_tokens}
    return found


def spellings(token: str) -> set[str]:
    raw = token.encode()
    return {token, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]}


def everything_stored(superuser: Superuser) -> str:
    return "\n".join(everything_in(each) for each in (superuser, superuser.keys))


def everything_in(superuser: Rows) -> str:
    tables = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert ("alembic_version",) in tables
    texts = []
    for (table,) in tables:
        rows = superuser.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
        texts += [text for (text,) in rows]
    return "\n".join(texts)


async def everything_told(bus: Bus) -> str:
    texts = []
    for stream in topology.STREAMS:
        state = (await bus.jetstream.stream_info(stream)).state
        for sequence in range(state.first_seq, state.last_seq + 1) if state.messages else ():
            message = await bus.jetstream.get_msg(stream, sequence)
            texts.append(f"{message.headers} {(message.data or b'').decode()}")
    return "\n".join(texts)


@pytest.mark.promise("P22")
async def test_no_token_is_in_a_table_an_event_a_log_line_a_trace_or_an_answer(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser, logged: io.StringIO, spans: InMemorySpanExporter
):
    answers: list[str] = []

    async def keep(response: Any) -> None:
        await response.aread()
        answers.append(response.text)

    room.auth.http.event_hooks["response"].append(keep)
    seen: set[str] = set()
    tiktok, bluesky = await room.connect("tiktok"), await room.connect("bluesky")
    seen |= tokens_of(room.sandbox)
    assert len((await room.borrow(tiktok, bluesky)).leases) == 2
    stored = everything_stored(superuser)
    clock.advance(timedelta(seconds=31))
    move_to(clock, superuser.execute("SELECT max(refresh_at) FROM connection").fetchone()[0])  # type: ignore[index]
    await bus.wait_told(ConnectionRefreshedV1, 2)
    seen |= tokens_of(room.sandbox)
    stored += everything_stored(superuser)

    room.sandbox.add_fault("tiktok", TOKEN, "answer", status=500, body={"error": "internal", "hint": "act.x"}, times=3)
    clock.advance(timedelta(hours=2))
    await bus.wait_told(ConnectionRefreshedV1, 3)
    room.sandbox.bluesky.state.sessions[0].revoked = True
    clock.advance(timedelta(hours=2))
    await bus.wait_told(ConnectionReauthRequiredV1)
    seen |= tokens_of(room.sandbox)
    await room.list()
    for connection_id in (tiktok, bluesky):
        assert (await room.disconnect(connection_id)).status_code == 200
    stored += everything_stored(superuser)

    assert len(seen) >= 7
    traced = [span.to_json() for span in spans.get_finished_spans()]
    assert len(traced) > 10
    haystack = "\n".join([stored, await everything_told(bus), logged.getvalue(), *traced, *answers])
    assert "connection_established" in haystack
    assert str(tiktok) in haystack
    leaked = [spelling for token in seen for spelling in spellings(token) if spelling in haystack]
    assert leaked == []


@pytest.mark.promise("P22")
async def test_what_is_kept_during_an_authorisation_is_sealed(room: Room, superuser: Rows):
    callback = await room.leave("tiktok")
    row = superuser.execute("SELECT authorisation::text, ciphertext FROM authorisation").fetchone()
    assert row is not None
    assert not any(spelling in row[0] for spelling in spellings(callback["state"]))
    assert b"code_verifier" not in row[1]
