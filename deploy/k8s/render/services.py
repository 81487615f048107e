"""What differs between the services when they run on Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.topology import consumers_of

REQUESTS_AT_ONCE = 8
"""Connections for requests and loops, besides those that event handlers may hold."""


@dataclass(frozen=True)
class Deployed:
    """One service. `platforms`: knows the platforms' credentials; `objects`: reads or writes the object store.

    `vault`: keeps tokens, and in a second database their keys; `mail`: hands mail in; `backups`: takes backups.
    `outside`: may open connections to the internet. `temporary_mib`: room in /tmp, where uploads and dumps pass.
    """

    name: str
    database: bool = True
    platforms: bool = False
    objects: bool = False
    vault: bool = False
    mail: bool = False
    backups: bool = False
    outside: bool = False
    public: bool = False
    replicas: int = 2
    memory_mib: int = 512
    temporary_mib: int = 64

    @property
    def database_connections(self) -> int:
        """Every handler in flight holds one; the inbox and the outbox relay are among the rest."""
        return sum(consumer.transactions_max for consumer in consumers_of(self.name)) + REQUESTS_AT_ONCE


SERVICES = (
    Deployed("auth", platforms=True, vault=True, mail=True, outside=True),
    # Videos are looked into, frame by frame.
    Deployed("content", objects=True, outside=True, memory_mib=1536, temporary_mib=4096),
    Deployed("scheduler"),
    Deployed("publisher", platforms=True, objects=True, outside=True, memory_mib=768, temporary_mib=1024),
    Deployed("metrics", platforms=True, outside=True),
    Deployed("retention", backups=True, outside=True, temporary_mib=8192),
    Deployed("gateway", database=False, public=True),
)
