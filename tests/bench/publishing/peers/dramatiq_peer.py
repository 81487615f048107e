"""dramatiq with Redis: each post a message with a delay."""

from __future__ import annotations

import os
import time

import dramatiq
import work
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))


@dramatiq.actor(max_retries=0)
def publish(index: int) -> None:
    work.publish(index)


if __name__ == "__main__":
    for index in range(len(work.work()["posts"])):
        publish.send_with_options(args=(index,), delay=int((work.work()["due_at"] - time.time()) * 1000))
