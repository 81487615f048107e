"""Who may say and hear what on the bus: one NKey user a service, with permissions that follow from the topology.

A service may publish only the events it produces and the dead letters of its own consumers, may fetch only
from its own consumers, and hears only its own inbox. Whoever reconciles the topology is the operator.
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
        return Permissions(
            ("$JS.>", f"{topology.DEAD_LETTER_PREFIX}.>", *_every_subject()), (f"{inbox_prefix(user)}.>",)
        )
    produced = [event.filter_subject() for event in EVENTS.values() if user in topology.producers_of(event)]
    consumed: list[str] = []
    for consumer in topology.consumers_of(user):
        named = f"{consumer.stream}.{consumer.name}"
        consumed += [
            f"$JS.API.CONSUMER.INFO.{named}",
            f"$JS.API.CONSUMER.MSG.NEXT.{named}",
            f"$JS.API.CONSUMER.RESET.{named}",
            f"$JS.ACK.{named}.>",
            consumer.dead_letter_subject("*"),
        ]
    extra = _ERASING_STREAMS if user == topology.STREAMS["RETENTION"].owner else ()
    return Permissions(tuple(produced + consumed) + extra, (f"{inbox_prefix(user)}.>",))


_ERASING_STREAMS = (
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.PURGE.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.STREAM.MSG.DELETE.*",
    "$JS.API.DIRECT.GET.>",
    "$JS.API.CONSUMER.INFO.>",
    "$JS.API.CONSUMER.LIST.*",
)
"""retention forgets subjects in every stream: it looks, purges, and looks again."""


def _every_subject() -> tuple[str, ...]:
    return tuple(subject for stream in topology.STREAMS.values() for subject in stream.subjects)


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
