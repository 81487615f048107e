"""Runs the demo: a fresh system in a folder of its own, the story, the verdict."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path

import uvloop
from contracts.event import Event

from signoff.demo import forgetting, publishing
from signoff.demo.observer import Observer, listeners_of, teller_of
from signoff.demo.person import Person, Unexpected
from signoff.demo.stage import Stage
from signoff.demo.timeline import Timeline
from signoff.environment import passed_on
from signoff.one_process import OneProcess
from signoff.split import Split
from signoff.system import System
from signoff.up import log_to_file

CHAPTERS = (
    publishing.sign_up,
    publishing.connect,
    publishing.write_and_review,
    publishing.publish,
    publishing.measure,
    forgetting.disconnect,
    forgetting.delete_account,
    forgetting.let_a_month_pass,
    forgetting.let_the_backups_expire,
)


def demo(*, split: bool) -> int:
    """Tell the story; 0 if every check passed. The folder stays only where something did not."""
    folder = Path(tempfile.mkdtemp(prefix="signoff-demo-"))
    # PostgreSQL may run as a user of its own, which must get through to its data and no further.
    folder.chmod(0o711)
    kind: type[System] = Split if split else OneProcess
    line = Timeline()
    passed = False
    try:
        passed = uvloop.run(_tell(folder, line, kind))
    finally:
        if passed:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"data and logs are kept in {folder}")
    return 0 if passed else 1


async def _tell(folder: Path, line: Timeline, kind: type[System]) -> bool:
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    line.title("Signoff", "One post, from sign-up to the proof that it is forgotten. The platforms are imitations.")
    # The story reads its letters, so none of them leaves the folder.
    environment = {name: value for name, value in passed_on(os.environ).items() if not name.startswith("SMTP_")}
    system = kind(folder / "data", sandbox=True, environment=environment, report=line.note, opened=log_to_file)
    try:
        with line.telling(len(CHAPTERS)):
            async with system:
                line.act("signoff", f"everything is up; the gateway is {system.gateway_url}")
                await _play(system, line)
    except asyncio.CancelledError:
        line.note("stopped")
        return False
    return line.summary()


async def _play(system: System, line: Timeline) -> None:
    def tell(event: Event) -> None:
        line.event(event.type, teller_of(event), listeners_of(event))

    async with (
        Observer(system, tell) as observer,
        Person("owner", "owner@example.com", system.gateway_url) as owner,
        Person("editor", "editor@example.com", system.gateway_url) as editor,
    ):
        stage = Stage(system, observer, line, owner, editor)
        for chapter in CHAPTERS:
            try:
                await chapter(stage)
            except Unexpected as problem:
                line.judge(
                    f"The chapter “{chapter.__name__.replace('_', ' ')}” ends",
                    expected="yes",
                    found=str(problem),
                    passed=False,
                )
                return
