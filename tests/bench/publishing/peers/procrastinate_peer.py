"""procrastinate, on PostgreSQL alone: each post a job with a time.

`procrastinate_peer.py enqueue` fills the queue, `procrastinate_peer.py work` works on it.
"""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import procrastinate
import work

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))
_http: aiohttp.ClientSession


@app.task
async def publish(index: int) -> None:
    await work.publish_async(_http, index)


async def enqueue() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        jobs = [{"index": index} for index in range(len(work.work()["posts"]))]
        await publish.configure(schedule_at=work.due_at()).batch_defer_async(*jobs)


async def serve() -> None:
    global _http  # a task finds what it needs in its module only
    _http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
    async with app.open_async():
        await app.run_worker_async(
            concurrency=work.work()["in_flight"], fetch_job_polling_interval=0.5, delete_jobs="always"
        )


if __name__ == "__main__":
    asyncio.run(enqueue() if sys.argv[1] == "enqueue" else serve())
