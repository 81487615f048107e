"""One run: schedule a little, strike, go on; wait until all is quiet; look what is true and print it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase

from rich.console import Console
from rich.table import Table

from tests.integration.torment.house import House
from tests.integration.torment.ledger import Ledger
from tests.integration.torment.lying import Lying
from tests.integration.torment.plan import DELAY_SECONDS_MAX, LAST_STEPS, Plan, Strike
from tests.integration.torment.room import Room

QUIET_SECONDS = 240.0
"""No publication takes so long after the last strike: what waits for a time gets it, see `LEAP`."""

POSTS_AN_ACCOUNT = 1_000
"""More than any run posts to one account of TikTok's."""

LEAP = timedelta(seconds=30)
"""When nobody is at a visible step, the clock leaps, further if nothing is to be done before: what waits for a minute
need not be waited for."""

CALL_SECONDS = DELAY_SECONDS_MAX + 0.5
"""So long no visible step may have begun before a leap: a lease that runs out under a call that is under way would let
its outcome be looked up too early."""

LEAP_PAUSE_SECONDS = 1.0
"""After a leap, so that what it made due has begun before the next."""


async def torment(house: House, room: Room, plan: Plan, *, again: str) -> None:
    """Carry out a plan, in a house that may have seen others; raises `AssertionError` with the differences.

    `again` is the command that repeats the run.
    """
    console, started = Console(width=140, highlight=False), time.monotonic()
    ledger, lying = Ledger(house, room, plan), Lying(house)
    console.print(f"seed {plan.seed}: {plan.publications:,} publications, {len(plan.strikes)} strikes")
    _prepare(house, plan)
    try:
        for post in plan.posts:
            await room.write(post)
        for posts, strike in plan.rounds():
            console.print(f"{posts[0].number if posts else '':>5}  {strike}")
            await asyncio.gather(_strike(house, strike), *(room.schedule(post) for post in posts))
            await room.reconnect()
            await lying.look()
        await _until_quiet(house, room, ledger, lying)
        ends, wrong = await ledger.compare()
        _report(house, plan, ends, time.monotonic() - started, console)
        assert not wrong, "\n" + "\n".join(wrong)
        assert not house.logged("notice_refused"), "platforms told something that was refused"
    except BaseException as error:
        # pytest says why when all else has run, which may take many minutes.
        console.print(f"FAILED, again with: {again}\n{error}", markup=False)
        error.add_note(f"{house.logs()}\n--- again with: {again}")
        raise
    console.print(f"each out once, or it is said why not; nothing lay for longer than {lying.longest_seconds:.0f} s")
    console.print(f"again with: {again}")


def _prepare(house: House, plan: Plan) -> None:
    tuning = house.sandbox.tuning
    # Limits have tests of their own; here they would only make everybody wait.
    tuning.rate_limits, tuning.daily_posts_max = False, POSTS_AN_ACCOUNT
    tuning.webhook_copies, tuning.webhook_url = 2, f"{house.system.gateway_url}/webhooks/{{platform}}"
    for platform, faults in plan.faults.items():
        house.sandbox.clear_faults(platform)
        for fault in faults:
            house.sandbox.add_fault(platform, LAST_STEPS[platform], fault.kind, skip=fault.skip, **fault.details)


async def _strike(house: House, strike: Strike) -> None:
    await asyncio.sleep(strike.after_seconds)
    await house.kill(strike.victims)
    await asyncio.sleep(strike.down_seconds)
    await house.start(strike.victims)
    if strike.again_after_seconds is not None:
        await asyncio.sleep(strike.again_after_seconds)
        await house.kill(strike.victims)
        await house.start(strike.victims)


async def _until_quiet(house: House, room: Room, ledger: Ledger, lying: Lying) -> None:
    deadline = time.monotonic() + QUIET_SECONDS
    leapt = time.monotonic()
    while (unfinished := await lying.look() or await ledger.unfinished()) is not None:
        assert time.monotonic() < deadline, f"after {QUIET_SECONDS:g} s, {unfinished}"
        await room.reconnect()
        if time.monotonic() > max(leapt + LEAP_PAUSE_SECONDS, _last_visible_step(house) + CALL_SECONDS):
            clock = house.system.clock
            clock.advance(max(LEAP, await ledger.next_at() - clock.now()))
            leapt = time.monotonic()
        await asyncio.sleep(0.25)


def _last_visible_step(house: House) -> float:
    begun = (
        arrival.at
        for platform, route in LAST_STEPS.items()
        for arrival in reversed(house.sandbox.arrivals(platform))
        if fnmatchcase(arrival.route, route)
    )
    return max(begun, default=0.0)


def _report(house: House, plan: Plan, ends: Mapping[str, Counter[str]], seconds: float, console: Console) -> None:
    names: Counter[str] = Counter()
    table = Table("platform", "publications", "faults struck", "published", "otherwise")
    for platform, counted in ends.items():
        struck = plan.faults[platform][: len(plan.faults[platform]) - house.sandbox.faults_left(platform)]
        names.update(fault.name for fault in struck)
        others = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()) if word != "published")
        table.add_row(platform, str(counted.total()), str(len(struck)), str(counted["published"]), others or "–")
    console.print(table)
    console.print(f"faults that struck: {_listed(names)}")
    console.print(f"killed {plan.kills.total()} times: {_listed(plan.kills)}")
    doubles, lost = (sum(counted[word] for counted in ends.values()) for word in ("double", "lost"))
    console.print(f"{plan.publications:,} publications, {doubles} doubles, {lost} lost, {seconds:.1f} s")


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common())
