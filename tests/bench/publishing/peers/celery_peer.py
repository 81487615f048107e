"""Celery with Redis: each post a task with an ETA."""

from __future__ import annotations

import os

import work
from celery import Celery

app = Celery("celery_peer", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=os.environ["ACKNOWLEDGE_LATE"] == "True",
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


@app.task
def publish(index: int) -> None:
    work.publish(index)


if __name__ == "__main__":
    with app.producer_pool.acquire(block=True) as producer:
        for index in range(len(work.work()["posts"])):
            publish.apply_async(args=(index,), eta=work.due_at(), producer=producer)
