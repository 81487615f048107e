"""Prints every post that Signoff published, once: all that another system needs to listen."""

import asyncio
import os
import sqlite3

import nats
from contracts.publisher import PublicationPublishedV1
from contracts.registry import UnknownEvent, class_for
from nats.aio.msg import Msg

NAME = os.environ.get("SUBSCRIBER", "crm")


async def take(message: Msg, database: sqlite3.Connection) -> None:
    headers = message.headers or {}
    try:
        event = class_for(headers.get("ce-type", "")).model_validate_json(message.data)
    except UnknownEvent:
        event = None  # a type or version that is newer than our contracts
    if isinstance(event, PublicationPublishedV1):
        with database:  # your effect belongs into this transaction
            if database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (headers["ce-id"],)).rowcount:
                print(event.published_at, event.platform, event.publication_id, flush=True)
    await message.ack()


async def main() -> None:
    database = sqlite3.connect(f"{NAME}.db")
    database.execute("CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY)")
    seed_file = os.environ.get("NATS_SEED_FILE")
    client = await nats.connect(os.environ["NATS_URL"], nkeys_seed=seed_file, inbox_prefix=f"_INBOX_{NAME}")
    events = await client.jetstream().pull_subscribe("publication.published.*.*", durable=NAME, stream="PUBLISHER")
    while True:
        try:
            for message in await events.fetch(10, timeout=30):
                await take(message, database)
        except nats.errors.TimeoutError:
            continue  # nothing has happened


asyncio.run(main())
