"""The one place that says how anything of ours is connected to NATS: every option of nats-py, spelled out.

A connection is kept for as long as its process lives, whatever becomes of the server. nats-py alone would end it for
good when a server refuses it once, and would go on in plain text with a server that offers no encryption; `_Client`
does neither.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client, Server

from kit.identities import inbox_prefix
from kit.settings import BusSettings, SettingError

log = structlog.get_logger("bus")

OnReconnect = Callable[[], Awaitable[None]]

CONNECT_SECONDS = 5
"""For the TCP connection, the TLS handshake and the server's greeting, each."""

PING_SECONDS = 10
PINGS_UNANSWERED_MAX = 2
"""A network that swallows everything is noticed after 20 to 30 seconds. A server that ends is noticed at once."""

FIRST_RETRY_SECONDS = 1
"""Between two looks for a server that was never reached. After that `_Pacing` decides."""

RETRY_SECONDS_MIN = 0.02
RETRY_SECONDS_MAX = 1.0
RETRY_SHARE = 0.125
"""Of the time the server has been away so far: back after one second, it is found within an eighth of one."""

PENDING_BYTES_MAX = 64 * 1024 * 1024
"""What may wait to be written. A relay's batch is 500 messages of about 1 KB; not even 256 messages of the greatest
size a stream takes make the writer stop in the middle of a batch."""

DRAIN_SECONDS = 10

SAME_ERROR_SECONDS = 60.0
"""A fault that goes on is told once a minute."""

_REASON_LENGTH_MAX = 200


async def connect(
    settings: BusSettings, user: str, *, on_reconnect: OnReconnect | None = None, keep_trying: bool = True
) -> Client:
    """Connect as a service (or the operator), and stay connected: a server that is away is waited for, for ever.

    `on_reconnect` is awaited each time the server is back. Without `keep_trying` there is one attempt at each server
    and none later; then what is wrong is raised, as `nats.errors.Error` or `OSError`. Raises `SettingError` if a file
    is not what it should be.
    """
    client = _Client(encrypted=settings.encrypted)
    pacing = _Pacing()
    watch = _Watch(client, pacing, user, on_reconnect, telling=keep_trying)
    try:
        await client.connect(
            list(settings.urls),
            name=user,
            nkeys_seed=str(settings.seed_file) if settings.seed_file else None,
            inbox_prefix=inbox_prefix(user),
            tls=_tls(settings) if settings.encrypted else None,
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=keep_trying,
            # The library counts the first connection as a reconnect too; 0 would mean no limit.
            max_reconnect_attempts=-1 if keep_trying else 1,
            reconnect_time_wait=FIRST_RETRY_SECONDS if keep_trying else 0,
            reconnect_to_server_handler=pacing.next,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=PINGS_UNANSWERED_MAX,
            pending_size=PENDING_BYTES_MAX,
            drain_timeout=DRAIN_SECONDS,
            error_cb=watch.on_error,
            disconnected_cb=watch.on_lost,
            reconnected_cb=watch.on_back,
            closed_cb=watch.on_closed,
        )
    except nats.errors.NoServersError as error:
        raise watch.last_error or error from error
    watch.on_connected()
    return client


def _tls(settings: BusSettings) -> ssl.SSLContext:
    """Verifies the server's certificate and name, against one authority or the machine's."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingError("NATS_CA_FILE holds no certificate that can be read (PEM)") from error
    if settings.certificate_file is not None:
        try:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingError("NATS_CERTIFICATE_FILE and NATS_KEY_FILE are no pair (PEM)") from error
    return context


class _Client(Client):
    """nats-py's client, without its three ways to end or to weaken a connection unasked.

    It overrides methods that are not public; `test_bus.py` shows each of the three on a real server.
    """

    def __init__(self, *, encrypted: bool) -> None:
        super().__init__()
        self._encrypted = encrypted

    def _connect_command(self) -> bytes:
        # By now the line is encrypted if the server asked for it, which whoever sits between could have prevented.
        if self._encrypted and not self._server_info.get("tls_required"):
            raise nats.errors.SecureConnRequiredError
        return super()._connect_command()

    async def _process_err(self, err_msg: str) -> None:
        # A refusal of one subject leaves the connection as it is; after any other the server closes it.
        if "permissions violation" in err_msg:
            await super()._process_err(err_msg)
            return
        self._err = error = nats.errors.Error(f"nats: {err_msg.strip(chr(39))}")
        await self._error_cb(error)
        await self._process_op_err(error)

    async def _attempt_reconnect(self) -> None:
        while True:
            try:
                return await super()._attempt_reconnect()
            except Exception as error:
                # It handles what networks do; something else on the port can answer with anything.
                self._status = Client.RECONNECTING
                await self._error_cb(error)
                await asyncio.sleep(RETRY_SECONDS_MAX)


class _Pacing:
    """Which server is tried next, and how soon, while the connection is lost.

    Each server once without delay, then with pauses that grow with the outage. They are spread, so that the
    processes that lost the same server do not come back in step.
    """

    def __init__(self) -> None:
        self._lost_at: float | None = None
        self._tried: set[str] = set()

    @property
    def away_seconds(self) -> float:
        return time.monotonic() - self._lost_at if self._lost_at is not None else 0.0

    def lost(self) -> bool:
        """Note the beginning of an outage; False if it has begun already."""
        if self._lost_at is not None:
            return False
        self._lost_at = time.monotonic()
        return True

    def found(self) -> None:
        self._lost_at = None
        self._tried.clear()

    def next(self, servers: Sequence[Server], _: Mapping[str, Any]) -> tuple[Server, float]:
        """The server that failed least often, and the seconds to wait before it is tried; called by nats-py."""
        server = min(servers, key=lambda candidate: candidate.reconnects)
        if server.uri.netloc not in self._tried:
            self._tried.add(server.uri.netloc)
            return server, 0.0
        return server, pause_seconds(self.away_seconds)


def pause_seconds(away_seconds: float) -> float:
    """How long to wait before a server is tried again that has been away so long."""
    pause = min(max(away_seconds * RETRY_SHARE, RETRY_SECONDS_MIN), RETRY_SECONDS_MAX)
    return pause * random.uniform(0.5, 1)  # noqa: S311  # spreads load, hides nothing


class _Watch:
    """What becomes of one connection, as log lines: lost, back, closed, and what went wrong in between."""

    def __init__(
        self, client: Client, pacing: _Pacing, user: str, on_reconnect: OnReconnect | None, *, telling: bool
    ) -> None:
        self._client = client
        self._pacing = pacing
        self._log = log.bind(user=user)
        self._on_reconnect = on_reconnect
        self._telling = telling
        self._told: tuple[str, float] = ("", 0.0)
        self.last_error: Exception | None = None

    def on_connected(self) -> None:
        self._tell("bus_connected")

    async def on_error(self, error: Exception) -> None:
        self.last_error = error
        reason = (str(error) or type(error).__name__)[:_REASON_LENGTH_MAX].replace("\n", " ")
        last_reason, last_at = self._told
        if self._telling and (reason != last_reason or time.monotonic() - last_at > SAME_ERROR_SECONDS):
            self._told = (reason, time.monotonic())
            self._log.warning("bus_error", error=type(error).__name__, reason=reason)

    async def on_lost(self) -> None:
        # Closing on our own request ends here too.
        if not self._client.is_closed and self._pacing.lost():
            self._log.warning("bus_lost")

    async def on_back(self) -> None:
        self._tell("bus_back", away_seconds=round(self._pacing.away_seconds, 3))
        self._pacing.found()
        self._told = ("", 0.0)
        if self._on_reconnect is None:
            return
        try:
            await self._on_reconnect()
        except Exception:
            # Raised, it would be taken for a failed reconnection.
            self._log.exception("bus_reconnect_hook_failed")

    async def on_closed(self) -> None:
        self._tell("bus_closed")

    def _tell(self, event: str, **fields: Any) -> None:
        if self._telling:
            self._log.info(event, **fields)
