"""APScheduler with its PostgreSQL store: each post a job with a date, run by asyncio in this process.

`apscheduler_peer.py enqueue` fills the store, `apscheduler_peer.py work` runs what is in it.
"""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import work
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

_slots: asyncio.Semaphore
_http: aiohttp.ClientSession


async def publish(index: int) -> None:
    async with _slots:
        await work.publish_async(_http, index)


def _scheduler() -> AsyncIOScheduler:
    return AsyncIOScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=os.environ["DATABASE_URL"])},
        executors={"default": AsyncIOExecutor()},
        # Its default drops what is more than a second late.
        job_defaults={"misfire_grace_time": None, "max_instances": 1},
        timezone="UTC",
    )


async def enqueue() -> None:
    scheduler = _scheduler()
    scheduler.start(paused=True)
    for index in range(len(work.work()["posts"])):
        scheduler.add_job("apscheduler_peer:publish", "date", run_date=work.due_at(), args=[index])
    scheduler.shutdown(wait=False)


async def serve() -> None:
    global _slots, _http  # a job finds what it needs in its module only
    _slots = asyncio.Semaphore(work.work()["in_flight"])
    _http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
    _scheduler().start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    # Jobs are found in the module by its name, which is not the program's.
    import apscheduler_peer

    asyncio.run(apscheduler_peer.enqueue() if sys.argv[1] == "enqueue" else apscheduler_peer.serve())
