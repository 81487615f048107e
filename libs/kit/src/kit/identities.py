"""Who may say and hear what on the bus: one NKey user a service, with permissions that follow from the topology.

A service may publish only the events it produces and the dead letters of its own consumers, may fetch only
from its own consumers, and hears only its own inbox. The operator may change streams and consumers and give dead
letters to their consumers again, but tells no event of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nkeys
from contracts import topology
from contracts.registry import EVENTS

from kit.keys import write_private
from kit.settings import SettingError

OPERATOR = "operator"
"""Reconciles streams and consumers, reads and replays dead letters."""


_API = "$JS.API"


@dataclass(frozen=True)
class Permissions:
    """NATS subjects, with wildcards, that a user may publish to and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def inbox_prefix(user: str) -> str:
    """Where answers to this user arrive. Its own, so that no service can listen to another's."""
    return f"_INBOX_{user}"


def permissions_of(user: str) -> Permissions:
    """What a service (or the operator) may do on the bus, derived from `contracts.topology`."""
    if user == OPERATOR:
        return Permissions(_OPERATING, (f"{inbox_prefix(user)}.>",))
    produced = [event.filter_subject() for event in EVENTS.values() if user in topology.producers_of(event)]
    consumed: list[str] = []
    for consumer in topology.consumers_of(user):
        named = f"{consumer.stream}.{consumer.name}"
        consumed += [
            f"{_API}.CONSUMER.INFO.{named}",
            f"{_API}.CONSUMER.MSG.NEXT.{named}",
            # Who takes a consumer over begins with everything that was not acknowledged.
            f"{_API}.CONSUMER.RESET.{named}",
            f"$JS.ACK.{named}.>",
            consumer.dead_letter_subject("*"),
        ]
    extra = _ERASING_STREAMS if user == topology.STREAMS["RETENTION"].owner else ()
    return Permissions(tuple(produced + consumed) + extra, (f"{inbox_prefix(user)}.>",))


_ERASING_STREAMS = (
    f"{_API}.STREAM.INFO.*",
    f"{_API}.STREAM.MSG.GET.*",
    f"{_API}.STREAM.PURGE.*",
    f"{_API}.CONSUMER.INFO.*.*",
    f"{_API}.DIRECT.GET.{topology.DEAD_LETTERS}",
    f"{_API}.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}",
)
"""retention forgets subjects in every stream: it looks, purges, and looks again."""

_OPERATING = (
    f"{_API}.INFO",
    *(f"{_API}.STREAM.{verb}" for verb in ("NAMES", "LIST", "INFO.*", "CREATE.*", "UPDATE.*")),
    *(f"{_API}.CONSUMER.{verb}" for verb in ("NAMES.*", "LIST.*", "INFO.*.*", "DELETE.*.*")),
    f"{_API}.CONSUMER.CREATE.>",
    f"{_API}.CONSUMER.DURABLE.CREATE.*.*",
    # Who watches a stream through a consumer that the server pushes says when it is ready for more.
    "$JS.FC.>",
    f"{_API}.DIRECT.GET.{topology.DEAD_LETTERS}",
    f"{_API}.STREAM.MSG.GET.{topology.DEAD_LETTERS}",
    f"{_API}.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}",
    f"{topology.REPLAYS}.>",
)
"""The operator's work. Deleting a stream is not part of it."""


def generate_seeds(folder: Path, users: Iterable[str]) -> None:
    """Make what is missing of the users' NKey seeds in `folder`: `<user>.nkey`, readable by the owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for user in users:
        file = seed_file(folder, user)
        if not file.exists():
            write_private(file, nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))


def seed_file(folder: Path, user: str) -> Path:
    return folder / f"{user}.nkey"


def public_key(file: Path) -> str:
    """The public key of a seed file; it starts with U."""
    try:
        pair = nkeys.from_seed(bytearray(file.read_bytes().strip()))
    except nkeys.NkeysError as error:
        raise SettingError(f"{file} holds no NKey seed") from error
    return str(pair.public_key.decode())
