"""The same posts for everybody who is not Signoff: the limit and the peers, each against a sandbox of its own.

What counts is what the sandbox saw: when a post was there, and how many there are.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kit.ids import new_id
from kit.secret import Secret
from platforms.meta.signing import appsecret_proof
from publishing.house import FEED, PLATFORM, PLATFORM_SECONDS
from sandbox.facebook.platform import FacebookSandbox
from sandbox.facebook.state import SCOPES, FacebookState, Page
from sandbox.meta.tokens import TokenKind
from sandbox.server import Sandbox
from sandbox.truth import Post

PAGES = 100
IN_FLIGHT = 64
FILL_SECONDS_MAX = 240.0
DRAIN_SECONDS_MAX = 90.0
STOP_SECONDS = 10.0
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Result:
    """What became of a burst. Lateness is from the due time until the platform has the post, in seconds."""

    name: str
    asked: int
    posted: int
    doubled: int
    p50: float
    p99: float
    drain_seconds: float

    @property
    def per_second(self) -> float:
        return self.posted / self.drain_seconds

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.per_second:,.0f} a second; late p50 {self.p50:.2f} s, p99 {self.p99:.2f} s;"
            f" {self.posted:,} of {self.asked:,} posted, {self.doubled} twice"
        )

    @classmethod
    def of(cls, name: str, asked: int, posts: Sequence[Post], due_at: datetime) -> Result:
        late = sorted((post.posted_at - due_at).total_seconds() for post in posts)
        texts = {post.text for post in posts}
        return cls(
            name,
            asked,
            len(texts),
            len(posts) - len(texts),
            statistics.median(late),
            statistics.quantiles(late, n=100)[98],
            late[-1],
        )


@dataclass(frozen=True)
class Contestant:
    """Commands of one way to publish: what fills its queue, what works on it. `%` is where the work is."""

    name: str
    fill: Sequence[str] | None
    work: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    fill_seconds: float = 60.0


async def compete(contestant: Contestant, folder: Path, count: int) -> Result:
    """One burst: fill, wait for the time, and for every post; what is late after some minutes is missing."""
    async with Sandbox(only=[PLATFORM]) as sandbox, AsyncExitStack() as stack:
        sandbox.tuning.rate_limits = False
        sandbox.add_fault(PLATFORM, FEED, "delay", delay_seconds=PLATFORM_SECONDS, times=10**9)
        due_at = time.time() + contestant.fill_seconds
        file = folder / f"{contestant.name.split()[0].lower()}.json"
        file.write_text(json.dumps(_work(sandbox, count, due_at)))
        environment = {**os.environ, **contestant.environment, "WORK": str(file)}
        log = stack.enter_context((folder / f"{file.stem}.log").open("wb"))
        if contestant.fill is not None:
            filling = await asyncio.create_subprocess_exec(
                *contestant.fill, cwd=HERE / "peers", env=environment, stdout=log, stderr=log
            )
            await asyncio.wait_for(filling.wait(), FILL_SECONDS_MAX)
            if filling.returncode:
                raise SystemExit(f"{contestant.name} could not be filled; see {log.name}")
            if time.time() > due_at:
                raise SystemExit(
                    f"{contestant.name} was filled too late; give it more than {contestant.fill_seconds} s"
                )
        working = []
        for command in contestant.work:
            arguments = [str(file) if part == "%" else part for part in command]
            working.append(await stack.enter_async_context(_process(arguments, environment, log.fileno())))
        posts = await _posts(sandbox, count, due_at, working)
    return Result.of(contestant.name, count, posts, datetime.fromtimestamp(due_at).astimezone())


@asynccontextmanager
async def _process(arguments: Sequence[str], environment: Mapping[str, str], log: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *arguments, cwd=HERE / "peers", env=environment, stdout=log, stderr=log
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _posts(sandbox: Sandbox, count: int, due_at: float, working: Sequence[Process]) -> list[Post]:
    deadline = due_at + DRAIN_SECONDS_MAX
    while time.time() < deadline and sandbox.truth.count() < count:
        await asyncio.sleep(0.2)
        if all(process.returncode for process in working):
            break
    if not sandbox.truth.count():
        raise SystemExit("nothing was posted at all; the folder of this run has the logs")
    return sandbox.truth.posts(PLATFORM)


def _work(sandbox: Sandbox, count: int, due_at: float) -> dict[str, object]:
    state = sandbox.of(FacebookSandbox).state
    editor = next(iter(state.people.values()))
    tokens = [_token(state, f"2{number:014d}", editor.user_id) for number in range(PAGES)]
    posts = [tokens[number % PAGES] | {"text": f"Post {new_id()}"} for number in range(count)]
    return {"base": sandbox.base_urls[PLATFORM], "due_at": due_at, "in_flight": IN_FLIGHT, "posts": posts}


def _token(state: FacebookState, page_id: str, user_id: str) -> dict[str, str]:
    state.pages[page_id] = Page(page_id, f"Brand {page_id}", f"brand.{page_id}", user_id)
    client = next(iter(state.clients.values()))
    token = state.tokens.issue(
        TokenKind.PAGE, client.client_id, user_id=user_id, account_id=page_id, scopes=SCOPES, seconds=None
    )
    proof = appsecret_proof(Secret(client.client_secret), Secret(token.value))
    return {"page": page_id, "token": token.value, "proof": proof.reveal()}


def limit() -> Contestant:
    """The hand-written loop."""
    return Contestant("loop by hand", None, [[sys.executable, str(HERE / "limit.py"), "%"]], {}, fill_seconds=5.0)
