"""`signoff dlq` on the real NATS: what an operator sees, and that only what was agreed to is done."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from contracts.auth import WorkspaceDeletedV1
from contracts.content import PostDeletedV1
from contracts.event import Event
from contracts.topology import CONSUMERS, DEAD_LETTERS
from kit import bus as connections
from kit import codec, dead_letters
from kit.clock import SystemClock
from kit.embedded import DataDirectory, EmbeddedNats
from kit.ids import new_id
from kit.settings import BusSettings
from kit.testing.services import Bus
from kit.topology import reconcile
from nats.js import JetStreamContext
from signoff.backing import bus_users, embedded_bus, operator_connection
from signoff.installation import Installation
from signoff.main import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def named(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", nats_url)


async def dlq(*arguments: str) -> int:
    """The command on a thread, where it has a loop of its own."""
    return await asyncio.to_thread(main, ["dlq", *arguments])


async def park(
    jetstream: JetStreamContext, event: Event, consumer: str = "scheduler-content", *, error: Exception | None = None
) -> None:
    """Give up on an event as a consumer does."""
    await dead_letters.park(
        jetstream,
        consumer=CONSUMERS[consumer],
        subject=event.subject(),
        headers=codec.headers_of(event, new_id(), source="test", at=SystemClock().now()),
        body=codec.encode(event),
        # The stream knows ids that other tests have parked for two minutes.
        sequence=new_id().int,
        attempts=11,
        reason="exhausted",
        error=error or RuntimeError("somebody@example.com"),
    )


def deleted() -> PostDeletedV1:
    return PostDeletedV1(workspace_id=new_id(), post_id=new_id())


def workspace_deleted() -> WorkspaceDeletedV1:
    return WorkspaceDeletedV1(workspace_id=new_id(), erasure_id=new_id())


async def left(bus: Bus) -> int:
    return (await bus.jetstream.stream_info(DEAD_LETTERS)).state.messages


async def replayed(bus: Bus, stream: str = "CONTENT") -> list[str]:
    """The keys under which a stream holds replays."""
    info = await bus.jetstream.stream_info(stream, subjects_filter="replay.>")
    return sorted(subject.rpartition(".")[2] for subject in info.state.subjects or {})


async def listed(capsys: Captured, *filters: str) -> list[dict[str, object]]:
    assert await dlq("list", "--json", *filters) == 0
    letters: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return letters


async def test_an_empty_list_says_so(bus: Bus, capsys: Captured):
    assert await dlq("list") == 0
    assert capsys.readouterr().out == "no dead letters\n"
    assert await dlq("list", "--consumer", "publisher-auth") == 0
    assert capsys.readouterr().out == "no dead letters match\n"
    assert await listed(capsys) == []


async def test_the_list_fits_a_screen_and_ends_with_a_sum(bus: Bus, capsys: Captured):
    first, second = deleted(), workspace_deleted()
    await park(bus.jetstream, first, error=codec.ContractError("post.deleted.v1 is broken at " + "x" * 200))
    await park(bus.jetstream, second, "publisher-auth")
    await park(bus.jetstream, second, "publisher-auth")
    assert await dlq("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert str(first.workspace_id) in lines[2]
    assert "exhausted, 11" in lines[3]
    assert "post.deleted.v1" in lines[3]
    assert [line.split() for line in lines[-3:]] == [
        ["3", "dead", "letters"],
        ["publisher-auth", "2"],
        ["scheduler-content", "1"],
    ]
    assert await dlq("list", "--limit", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[-3] == "3 dead letters, the oldest 1 shown"


async def test_the_list_as_json_holds_everything_of_each(bus: Bus, capsys: Captured):
    event = deleted()
    await park(bus.jetstream, event)
    await bus.jetstream.publish("dlq.scheduler-content.stray", b"")
    known, stray = await listed(capsys)
    assert known | {"id": 0, "parked_at": "", "event_id": ""} == {
        "id": 0,
        "parked_at": "",
        "consumer": "scheduler-content",
        "type": "post.deleted.v1",
        "key": str(event.workspace_id),
        "reason": "exhausted",
        "error": "RuntimeError",
        "attempts": 11,
        "event_id": "",
    }
    assert {name for name, value in stray.items() if value is None} == {
        "type",
        "reason",
        "error",
        "attempts",
        "event_id",
    }


async def test_filters_narrow_the_list(bus: Bus, capsys: Captured):
    events = deleted(), deleted(), workspace_deleted()
    for event, consumer in zip(events, ("scheduler-content", "scheduler-content", "publisher-auth"), strict=True):
        await park(bus.jetstream, event, consumer)

    async def found(*filters: str) -> list[int]:
        keys = [str(event.workspace_id) for event in events]
        return [keys.index(str(letter["key"])) for letter in await listed(capsys, *filters)]

    assert await found() == [0, 1, 2]
    assert await found("--limit", "2") == [0, 1]
    assert await found("--consumer", "publisher-auth") == await found("--type", "workspace.deleted") == [2]
    assert await found("--type", "post.deleted.v1") == [0, 1]
    assert await found("--workspace", str(events[1].workspace_id)) == [1]
    assert await found("--newer-than", "1h") == await found("--older-than", "0s") == [0, 1, 2]
    assert await found("--older-than", "1h") == await found("--newer-than", "0s") == []
    assert await found("--consumer", "publisher-auth", "--type", "post.deleted") == []


async def test_a_letter_is_shown_whole_with_what_can_be_done_about_it(bus: Bus, capsys: Captured):
    event = deleted()
    await park(bus.jetstream, event)
    id_ = (await listed(capsys))[0]["id"]
    assert await dlq("show", str(id_)) == 0
    shown = capsys.readouterr().out
    assert "  ce-type: post.deleted.v1\n" in shown
    assert f'  "post_id": "{event.post_id}"\n' in shown
    assert "post.approval_withdrawn.v1, post.deleted.v1 for the service scheduler\n" in shown
    assert shown.endswith(f"\nreplay it    signoff dlq replay {id_}\ndrop it      signoff dlq drop {id_}\n")
    assert "example.com" not in shown


async def test_what_no_consumer_would_take_says_so_and_cannot_steer_a_terminal(bus: Bus, capsys: Captured):
    await bus.jetstream.publish("dlq.gone-content.stray", b"\x1b[2J", headers={"ce-type": "\x1b]0;ha\x07"})
    id_ = (await listed(capsys))[0]["id"]
    assert await dlq("show", str(id_)) == await dlq("list") == 0
    shown = capsys.readouterr().out
    assert "not possible: the contracts have no consumer gone-content any more" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


async def test_an_unknown_id_is_one_clear_line(bus: Bus, capsys: Captured):
    await park(bus.jetstream, deleted())
    id_ = int(str((await listed(capsys))[0]["id"]))
    for arguments in (["show", f"{id_ + 1}"], ["replay", f"{id_ + 1}", "--yes"], ["drop", f"{id_ + 1}", "--yes"]):
        assert await dlq(*arguments) == 1
        answer = capsys.readouterr()
        assert (answer.out, answer.err) == ("", f"signoff: there is no dead letter {id_ + 1}\n")
    assert await left(bus) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["replay"], "or all of them with --all"),
        (["drop", "1", "--all"], "or all of them with --all"),
        (["drop", "1", "--consumer", "publisher-auth", "--yes"], "or all of them with --all"),
        (["drop", "--all"], "say --yes"),
        (["drop", "0"], "Must be >= 1"),
        (["replay", "--all", "--type", "post.deleted", "--yes"], "or all of them with --all"),
        (["list", "--older-than", "soon"], "is no duration"),
        (["list", "--workspace", "mine"], "UUID"),
        (["list", "--consumer", "publisher.>"], "called like publisher-auth"),
    ],
)
async def test_wrong_use_is_code_2_and_does_nothing(bus: Bus, capsys: Captured, arguments: list[str], complaint: str):
    await park(bus.jetstream, deleted())
    assert await dlq(*arguments) == 2
    answer = capsys.readouterr()
    assert complaint in answer.err
    assert answer.err.count("\n") == 1
    assert await left(bus) == 1


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(bus: Bus, capsys: Captured):
    await park(bus.jetstream, deleted())
    await park(bus.jetstream, deleted(), "publisher-auth")
    assert await dlq("replay", "--all", "--dry-run") == 1
    answer = capsys.readouterr()
    assert answer.out.endswith("would be replayed: 1\n")
    assert answer.err.endswith(": publisher-auth does not take post.deleted.v1 any more\n")
    assert await dlq("drop", "--all", "--dry-run") == 0
    assert capsys.readouterr().out.endswith("would be dropped: 2\n")
    assert await left(bus) == 2
    assert await replayed(bus) == []


async def test_a_replay_names_each_that_failed_and_does_the_others(bus: Bus, capsys: Captured):
    events = deleted(), deleted(), deleted()
    for event, consumer in zip(events, ("scheduler-content", "publisher-auth", "scheduler-content"), strict=True):
        await park(bus.jetstream, event, consumer)
    refused = (await listed(capsys))[1]["id"]
    assert await dlq("replay", "--all", "--yes") == 1
    answer = capsys.readouterr()
    assert answer.out.endswith("replayed: 2\n")
    assert answer.err == f"signoff: {refused}: publisher-auth does not take post.deleted.v1 any more\n"
    assert await replayed(bus) == sorted(str(event.workspace_id) for event in (events[0], events[2]))
    assert [letter["id"] for letter in await listed(capsys)] == [refused]


async def test_only_what_was_named_is_replayed_or_dropped(bus: Bus, capsys: Captured):
    events = [deleted() for _ in range(4)]
    for event in events:
        await park(bus.jetstream, event)
    ids = [str(letter["id"]) for letter in await listed(capsys)]
    assert await dlq("replay", ids[2], ids[0], ids[0], "--yes") == 0
    assert await replayed(bus) == sorted(str(events[index].workspace_id) for index in (0, 2))
    capsys.readouterr()
    assert await dlq("drop", "--workspace", str(events[1].workspace_id), "--yes") == 0
    assert capsys.readouterr().out.endswith("dropped: 1\n")
    assert [str(letter["id"]) for letter in await listed(capsys)] == [ids[3]]


class Terminal(io.StringIO):
    """A person who types one line, after something has happened."""

    def __init__(self, line: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(f"{line}\n")
        self._meanwhile = meanwhile

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # as StringIO itself
        self._meanwhile()
        return super().readline(-1 if size is None else size)


@pytest.mark.parametrize("answer", ["no", "y", ""])
async def test_nothing_is_done_unless_a_person_types_yes(
    bus: Bus, capsys: Captured, monkeypatch: pytest.MonkeyPatch, answer: str
):
    await park(bus.jetstream, deleted())
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert await dlq("drop", "--all") == 1
    assert "Delete 1 dead letter of scheduler-content for good? Type yes: " in capsys.readouterr().out
    assert await left(bus) == 1


async def test_what_is_parked_while_a_person_thinks_is_not_agreed_to(
    bus: Bus, capsys: Captured, monkeypatch: pytest.MonkeyPatch
):
    shown, later = deleted(), deleted()
    await park(bus.jetstream, shown)
    loop = asyncio.get_running_loop()

    def meanwhile() -> None:
        asyncio.run_coroutine_threadsafe(park(bus.jetstream, later), loop).result(10)

    monkeypatch.setattr("sys.stdin", Terminal("yes", meanwhile))
    assert await dlq("replay", "--all") == 0
    assert capsys.readouterr().out.endswith("replayed: 1\n")
    assert await replayed(bus) == [str(shown.workspace_id)]
    assert [letter["key"] for letter in await listed(capsys)] == [str(later.workspace_id)]


async def test_the_operators_rights_suffice_beside_a_running_system(
    capsys: Captured, data_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("NATS_URL")
    with DataDirectory(data_folder) as directory:
        installation = Installation.open(directory)
        async with EmbeddedNats(directory.path, users=bus_users(installation), durable=False) as server:
            async with operator_connection(embedded_bus(installation, server.url)) as operator:
                await reconcile(operator.jetstream())
            settings = BusSettings(server.url, installation.bus_seed("scheduler"))
            scheduler = await connections.connect(settings, "scheduler", keep_trying=False)
            for _ in range(2):
                await park(scheduler.jetstream(), deleted())
            await scheduler.close()
            option = ("--data", str(data_folder))
            first = (await listed(capsys, *option))[0]["id"]
            assert await dlq("show", str(first), *option) == 0
            assert f"signoff dlq replay {first} --data {data_folder}\n" in capsys.readouterr().out
            assert await dlq("replay", str(first), "--yes", *option) == 0
            assert await dlq("drop", "--consumer", "scheduler-content", "--yes", *option) == 0
            capsys.readouterr()
            assert await listed(capsys, *option) == []
