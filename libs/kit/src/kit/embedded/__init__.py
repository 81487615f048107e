"""NATS and PostgreSQL as child processes of ours, from the wheels, with all their data in one folder.

`signoff up` and the tests start them here; on Kubernetes nothing of this package is imported.
"""

from __future__ import annotations

from kit.embedded.data_directory import DataDirectory
from kit.embedded.errors import EmbeddedError
from kit.embedded.nats_server import EmbeddedNats, NatsUser
from kit.embedded.ports import free_port
from kit.embedded.postgres import EmbeddedPostgres
from kit.embedded.processes import ChildExit, ChildProcess, ChildSpec

__all__ = [
    "ChildExit",
    "ChildProcess",
    "ChildSpec",
    "DataDirectory",
    "EmbeddedError",
    "EmbeddedNats",
    "EmbeddedPostgres",
    "NatsUser",
    "free_port",
]
