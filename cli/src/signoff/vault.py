"""`signoff vault`: how stored keys are wrapped, and bringing them under a new key-encryption key while auth runs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from auth.adapters.key_file import add_key
from auth.adapters.key_providers import provider_of
from auth.adapters.keys import STORE, StoredKeyring
from auth.adapters.vault import for_each
from auth.domain.vault import VaultUnavailable
from auth.ports.vault import KeyProvider, Keyring
from auth.settings import read_key_places
from auth.use_cases.rotating import Standing, look, rotate
from kit.clock import Clock, SystemClock
from kit.database import Database
from kit.embedded import DataDirectory, EmbeddedPostgres
from kit.secret import Secret
from kit.settings import Environment, SettingError
from psycopg_pool import PoolTimeout
from rich.console import Console
from rich.progress import Progress

from signoff.databases import CONNECT_SECONDS, owner_urls
from signoff.installation import Installation
from signoff.operate import existing

NAMED_MAX = 20
"""Keys that could not be unwrapped, by name; so many more have one cause."""

OWNER_URL = "DATABASE_OWNER_URL_AUTH_KEYS"


def show_status(data: Path, *, as_json: bool) -> int:
    """Print how many keys are wrapped by what; code 1 while some are left on another key than the current one."""
    standing = _answered(data, look)
    if as_json:
        print(json.dumps(_document(standing), indent=2))
    else:
        _print(standing)
    return 1 if standing.left else 0


def rotate_keys(data: Path) -> int:
    """Re-wrap what is not under the current key, and say how it stands then; code 1 if some are left."""

    async def work(keyring: Keyring, provider: KeyProvider) -> Standing:
        if not sys.stderr.isatty():
            return await rotate(keyring, provider, for_each=for_each, tell=_tell_plainly)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("keys")
            return await rotate(
                keyring,
                provider,
                for_each=for_each,
                tell=lambda done, total: progress.update(task, completed=done, total=total),
            )

    standing = _answered(data, work)
    _print(standing)
    for data_key_id in standing.failed[:NAMED_MAX]:
        print(f"signoff: key {data_key_id} cannot be unwrapped and was left as it is", file=sys.stderr)
    if len(standing.failed) > NAMED_MAX:
        print(f"signoff: {len(standing.failed) - NAMED_MAX:,} more cannot be unwrapped", file=sys.stderr)
    return 1 if standing.left else 0


def make_key(data: Path) -> int:
    """Put a new key before the others of the key file; it wraps from then on, and the others still unwrap."""
    named = os.environ.get("VAULT_KEY_FILE")
    file = Path(named) if named else existing(data).vault_key
    print(f"{file} begins with the new key {add_key(file)}")
    print("run: signoff vault rotate, once every process of auth has the file")
    return 0


def _tell_plainly(done: int, total: int) -> None:
    print(f"re-wrapped {done:,} of {total:,}", file=sys.stderr)


def _answered(data: Path, work: Callable[[Keyring, KeyProvider], Awaitable[Standing]]) -> Standing:
    """What a person can put right becomes one line."""

    async def run() -> Standing:
        async with _opened(data) as (keyring, provider):
            return await work(keyring, provider)

    try:
        return asyncio.run(run())
    except VaultUnavailable as error:
        raise SettingError(f"the key that wraps now cannot be used: {error.reason}") from None
    except psycopg.errors.UndefinedTable:
        raise SettingError("the database of keys is behind the code: run signoff migrate") from None
    except (psycopg.OperationalError, PoolTimeout) as error:
        reason = str(error).strip().partition("\n")[0]
        raise SettingError(f"the database of keys does not answer: {reason}. What is done stays done") from None


@asynccontextmanager
async def _opened(data: Path) -> AsyncIterator[tuple[Keyring, KeyProvider]]:
    """The keys at DATABASE_OWNER_URL_AUTH_KEYS, or those of the embedded installation, whether it runs or not."""
    if os.environ.get(OWNER_URL):
        environment = Environment(os.environ)
        async with (
            _keyring(environment.secret(OWNER_URL), SystemClock()) as keyring,
            _provider(environment) as provider,
        ):
            yield keyring, provider
        return
    installation = existing(data)
    values = {name: value for name, value in os.environ.items() if name.startswith("VAULT_")}
    environment = Environment({"SIGNOFF_STAGE": "development", "VAULT_KEY_FILE": str(installation.vault_key)} | values)
    async with (
        _embedded(data, installation) as url,
        _keyring(url, installation.clock) as keyring,
        _provider(environment) as provider,
    ):
        yield keyring, provider


@asynccontextmanager
async def _embedded(data: Path, installation: Installation) -> AsyncIterator[Secret]:
    url = owner_urls(installation, EmbeddedPostgres(installation.path))[STORE]
    if await asyncio.to_thread(_answers, url):
        yield url
        return
    with DataDirectory(data):
        async with EmbeddedPostgres(installation.path):
            yield url


def _answers(url: Secret) -> bool:
    try:
        psycopg.connect(url.reveal(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@asynccontextmanager
async def _keyring(url: Secret, clock: Clock) -> AsyncIterator[Keyring]:
    # The pool would try for ten seconds, and log each time.
    await asyncio.to_thread(lambda: psycopg.connect(url.reveal(), connect_timeout=CONNECT_SECONDS).close())
    database = Database(STORE, url, clock, connections_max=1)
    try:
        await database.open()
        yield StoredKeyring(database)
    finally:
        await database.close()


@asynccontextmanager
async def _provider(environment: Environment) -> AsyncIterator[KeyProvider]:
    provider = provider_of(read_key_places(environment))
    try:
        yield provider
    finally:
        await provider.aclose()


def _document(standing: Standing) -> dict[str, object]:
    return {
        "current": standing.current,
        "keys": standing.by_key,
        "left": standing.left,
        "others_free_from": standing.free_from.isoformat() if standing.free_from else None,
    }


def _print(standing: Standing) -> None:
    for key_id, count in standing.by_key.items():
        print(f"{count:>9,}  {key_id}{'  (current)' if key_id == standing.current else ''}")
    if standing.current not in standing.by_key:
        print(f"        0  {standing.current}  (current)")
    if standing.left:
        print(f"left on another key: {standing.left:,}. Run: signoff vault rotate")
    elif standing.free_from:
        print(f"no other key is needed from {standing.free_from:%Y-%m-%d %H:%M} UTC on; until then backups need it")
    else:
        print("every key is wrapped by the current one")
