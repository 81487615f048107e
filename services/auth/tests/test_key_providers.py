"""Each key provider against what it is a provider of: a file, Vault's transit engine, AWS KMS."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from auth.adapters import key_transit
from auth.adapters.key_file import KeyFile, add_key
from auth.adapters.key_kms import KmsKey
from auth.adapters.key_providers import Succession, provider_of
from auth.adapters.key_transit import TransitKey
from auth.adapters.vault import for_each
from auth.domain.key_providers import KeyFilePlace, KeyPlaces, KmsPlace, TransitPlace
from auth.domain.vault import (
    KeyUnusable,
    NotOpened,
    VaultDenied,
    VaultSealed,
    VaultUnavailable,
    VaultUnreachable,
    WrappedKey,
)
from auth.ports.vault import KeyProvider
from auth.settings import read_key_places
from auth.use_cases.rotating import check
from kit.keys import write_private
from kit.settings import Environment, SettingError
from kit.testing.authority import Authority
from moto.server import ThreadedMotoServer

from services.auth.tests.transit import TransitKeyState, TransitServer

KEY, CONTEXT = b"k" * 32, b"data-key:one"
REGION = "eu-central-1"


@pytest.fixture
def vault_server() -> Iterator[TransitServer]:
    with TransitServer() as server:
        yield server


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    write_private(file, b"the-token\n")
    return file


@pytest.fixture
def transit_place(vault_server: TransitServer, token_file: Path) -> TransitPlace:
    return TransitPlace(
        url=vault_server.url,
        mount="transit",
        key="signoff",
        namespace=None,
        ca_file=None,
        token_file=token_file,
        role=None,
        login_mount="kubernetes",
        account_token_file=token_file,
    )


@pytest.fixture
async def transit(transit_place: TransitPlace) -> AsyncIterator[TransitKey]:
    provider = TransitKey(transit_place)
    yield provider
    await provider.aclose()


@dataclass
class Cloud:
    """AWS KMS on this machine, as whoever looks after the keys sees it."""

    kms: Any
    place: KmsPlace

    def new_key(self) -> str:
        return str(self.kms.create_key()["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def kms_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def cloud(kms_url: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    kms: Any = botocore.session.get_session().create_client("kms", region_name=REGION, endpoint_url=kms_url)
    alias = f"alias/signoff-{os.urandom(4).hex()}"
    cloud = Cloud(kms, KmsPlace(alias, REGION, kms_url))
    kms.create_alias(AliasName=alias, TargetKeyId=cloud.new_key())
    return cloud


@pytest.fixture
async def kms(cloud: Cloud) -> AsyncIterator[KmsKey]:
    provider = KmsKey(cloud.place)
    yield provider
    await provider.aclose()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "vault.key"
    write_private(file, b"")
    file.write_text("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n")
    return file


def rewrite(file: Path, text: str) -> None:
    """Replace a file in one step, as an agent or an operator does."""
    write_private(file.with_name("next"), text.encode())
    file.with_name("next").replace(file)


def newest(file: Path) -> str:
    return file.read_text().splitlines()[0]


@dataclass
class Case:
    """A provider, and how a new key-encryption key comes to be for it."""

    provider: KeyProvider
    renew: Callable[[], Any]


@pytest.fixture(params=["file", "transit", "kms"])
def case(request: pytest.FixtureRequest) -> Case:
    match request.param:
        case "file":
            file = request.getfixturevalue("key_file")
            return Case(KeyFile(file), lambda: add_key(file))
        case "transit":
            server = request.getfixturevalue("vault_server")
            return Case(request.getfixturevalue("transit"), server.keys["signoff"].rotate)
        case _:
            cloud = request.getfixturevalue("cloud")
            change = cloud.kms.update_alias
            return Case(
                request.getfixturevalue("kms"),
                lambda: change(AliasName=cloud.place.key, TargetKeyId=cloud.new_key()),
            )


@pytest.mark.promise("P22")
async def test_a_key_is_unwrapped_in_its_own_context_only(case: Case):
    wrapped = await case.provider.wrap(KEY, context=CONTEXT)
    assert await case.provider.unwrap(wrapped, context=CONTEXT) == KEY
    assert KEY not in wrapped.wrapped_key
    assert case.provider.wrapped(wrapped.key_id)
    with pytest.raises(NotOpened):
        await case.provider.unwrap(wrapped, context=b"data-key:another")


async def test_a_new_key_wraps_from_then_on_and_the_old_one_still_unwraps(case: Case):
    old = await case.provider.wrap(KEY, context=CONTEXT)
    case.renew()
    new = await case.provider.wrap(KEY, context=CONTEXT)
    assert new.key_id != old.key_id
    rewrapped = await case.provider.rewrap(old, context=CONTEXT)
    assert rewrapped.key_id == new.key_id == await check(case.provider)
    for wrapped in (old, new, rewrapped):
        assert await case.provider.unwrap(wrapped, context=CONTEXT) == KEY
    with pytest.raises(NotOpened):
        await case.provider.rewrap(old, context=b"data-key:another")


async def test_many_keys_are_unwrapped_at_once(case: Case):
    wrapped = [await case.provider.wrap(KEY, context=CONTEXT) for _ in range(20)]
    opened: list[bytes] = []

    async def unwrap(each: WrappedKey) -> None:
        opened.append(await case.provider.unwrap(each, context=CONTEXT))

    await for_each(wrapped, unwrap)
    assert opened == [KEY] * 20


async def test_a_file_that_is_damaged_later_leaves_the_keys_as_they_were(key_file: Path):
    provider = KeyFile(key_file)
    wrapped = await provider.wrap(KEY, context=CONTEXT)
    rewrite(key_file, "half a li")
    assert await provider.unwrap(wrapped, context=CONTEXT) == KEY
    os.remove(key_file)
    assert await provider.unwrap(wrapped, context=CONTEXT) == KEY


async def test_a_key_that_was_withdrawn_from_the_file_is_missed_and_condemns_nothing(key_file: Path):
    provider = KeyFile(key_file)
    wrapped = await provider.wrap(KEY, context=CONTEXT)
    add_key(key_file)
    rewrite(key_file, newest(key_file))
    with pytest.raises(KeyUnusable):
        await provider.unwrap(wrapped, context=CONTEXT)


def test_a_new_key_is_as_private_as_the_file_and_there_are_not_too_many(key_file: Path):
    for _ in range(15):
        add_key(key_file)
    assert key_file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SettingError, match="withdraw"):
        add_key(key_file)


async def test_vault_says_what_is_wrong_in_types(transit: TransitKey, vault_server: TransitServer):
    wrapped = await transit.wrap(KEY, context=CONTEXT)
    vault_server.sealed = True
    with pytest.raises(VaultSealed):
        await transit.unwrap(wrapped, context=CONTEXT)
    vault_server.sealed = False
    for status in (307, 429, 500, 502, 503):
        vault_server.status = status
        with pytest.raises(VaultUnreachable):
            await transit.unwrap(wrapped, context=CONTEXT)
    vault_server.status = None
    vault_server.tokens.clear()
    with pytest.raises(VaultDenied):
        await transit.unwrap(wrapped, context=CONTEXT)
    vault_server.tokens.add("the-token")
    vault_server.keys["signoff"].rotate()
    vault_server.keys["signoff"].min_decryption_version = 2
    with pytest.raises(KeyUnusable) as too_old:
        await transit.unwrap(wrapped, context=CONTEXT)
    assert "min_decryption_version" in too_old.value.reason
    del vault_server.keys["signoff"]
    with pytest.raises(KeyUnusable):
        await transit.wrap(KEY, context=CONTEXT)


async def test_a_vault_that_is_away_or_hangs_is_not_waited_for(
    transit_place: TransitPlace, vault_server: TransitServer, free_port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(key_transit, "CALL_SECONDS", 0.2)
    away = TransitKey(replace(transit_place, url=f"http://127.0.0.1:{free_port}"))
    with pytest.raises(VaultUnreachable):
        await away.wrap(KEY, context=CONTEXT)
    await away.aclose()
    hanging = TransitKey(transit_place)
    vault_server.open.clear()
    async with asyncio.timeout(4):
        with pytest.raises(VaultUnreachable):
            await hanging.wrap(KEY, context=CONTEXT)
    await hanging.aclose()


async def test_a_key_of_vault_that_would_bind_nothing_is_refused(transit: TransitKey, vault_server: TransitServer):
    vault_server.keys["signoff"] = TransitKeyState(derived=False)
    with pytest.raises(KeyUnusable) as refused:
        await transit.wrap(KEY, context=CONTEXT)
    assert "not a derived key" in refused.value.reason


async def test_a_token_that_was_replaced_in_its_file_counts_at_once(
    transit: TransitKey, vault_server: TransitServer, token_file: Path
):
    await transit.wrap(KEY, context=CONTEXT)
    vault_server.tokens = {"the-next-token"}
    rewrite(token_file, "the-next-token")
    await transit.wrap(KEY, context=CONTEXT)
    os.remove(token_file)
    with pytest.raises(VaultDenied):
        await transit.wrap(KEY, context=CONTEXT)


async def test_a_pod_logs_in_once_and_again_when_its_token_has_ended(
    transit_place: TransitPlace, vault_server: TransitServer, tmp_path: Path
):
    rewrite(tmp_path / "pod", "the-pods-token")
    vault_server.namespace = "agency"
    pod = TransitKey(
        replace(transit_place, token_file=None, role="auth", account_token_file=tmp_path / "pod", namespace="agency")
    )
    await asyncio.gather(*(pod.wrap(KEY, context=CONTEXT) for _ in range(8)))
    assert vault_server.logins == 1
    vault_server.tokens.clear()
    await asyncio.gather(*(pod.wrap(KEY, context=CONTEXT) for _ in range(8)))
    assert vault_server.logins == 2
    rewrite(tmp_path / "pod", "somebody else's")
    vault_server.tokens.clear()
    with pytest.raises(VaultDenied):
        await pod.wrap(KEY, context=CONTEXT)
    await pod.aclose()


async def test_vault_is_known_by_its_certificate(transit_place: TransitPlace, tmp_path: Path):
    authority = Authority(tmp_path)
    with TransitServer(authority.issue("vault")) as server:
        trusting = TransitKey(replace(transit_place, url=server.url, ca_file=authority.ca_file))
        assert (await trusting.wrap(KEY, context=CONTEXT)).key_id == "transit:transit/signoff:v1"
        await trusting.aclose()
        strange = TransitKey(replace(transit_place, url=server.url))
        with pytest.raises(VaultUnreachable):
            await strange.wrap(KEY, context=CONTEXT)
        await strange.aclose()
        assert "/v1/transit/encrypt/signoff" in server.calls


@contextmanager
def refusing(code: str) -> Iterator[str]:
    """A KMS that answers everything with one error, in the words of its protocol (AWS JSON 1.1)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            raw = json.dumps({"__type": code, "message": "no"}).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *values: object) -> None:
            """Nothing: a test's output is pytest's."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", VaultDenied),
        ("UnrecognizedClientException", VaultDenied),
        ("DisabledException", KeyUnusable),
        ("KMSInvalidStateException", KeyUnusable),
        ("InvalidCiphertextException", NotOpened),
        ("SomethingNew", VaultUnreachable),
    ],
)
async def test_kms_says_what_is_wrong_in_types(cloud: Cloud, code: str, error: type[Exception]):
    with refusing(code) as url:
        provider = KmsKey(replace(cloud.place, endpoint=url))
        with pytest.raises(error):
            await provider.unwrap(WrappedKey(b"wrapped", "arn:aws:kms:any"), context=CONTEXT)
        await provider.aclose()


async def test_a_kms_that_is_away_or_has_no_such_key_is_told_apart(cloud: Cloud, free_port: int):
    for changed, error in (
        (replace(cloud.place, endpoint=f"http://127.0.0.1:{free_port}"), VaultUnreachable),
        (replace(cloud.place, key="alias/never-made"), KeyUnusable),
    ):
        provider = KmsKey(changed)
        with pytest.raises(error):
            await provider.wrap(KEY, context=CONTEXT)
        await provider.aclose()


async def test_kms_without_credentials_is_denied(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    provider = KmsKey(cloud.place)
    with pytest.raises(VaultDenied):
        await provider.wrap(KEY, context=CONTEXT)
    await provider.aclose()


@pytest.mark.promise("P22")
async def test_no_debug_line_of_a_client_holds_a_data_key(case: Case, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    await case.provider.unwrap(await case.provider.wrap(KEY, context=CONTEXT), context=CONTEXT)
    for spelling in (KEY.decode(), "a2tra2tra2tr", "the-token"):
        assert spelling not in caplog.text


async def test_what_a_file_wrapped_moves_to_vault(transit: TransitKey, key_file: Path):
    former = KeyFile(key_file)
    wrapped = await former.wrap(KEY, context=CONTEXT)
    both = Succession(transit, former)
    assert await both.unwrap(wrapped, context=CONTEXT) == KEY
    moved = await both.rewrap(wrapped, context=CONTEXT)
    assert transit.wrapped(moved.key_id)
    assert await transit.unwrap(moved, context=CONTEXT) == KEY
    assert transit.wrapped((await both.wrap(KEY, context=CONTEXT)).key_id)


def places(**values: str) -> KeyPlaces:
    return read_key_places(Environment({"SIGNOFF_STAGE": "production"} | values))


def test_settings_choose_the_provider(token_file: Path, key_file: Path):
    assert places(VAULT_KEY_FILE=str(key_file)) == KeyPlaces(KeyFilePlace(key_file))
    transit = {"VAULT_KEY_PROVIDER": "transit", "VAULT_TRANSIT_URL": "https://vault.example.com:8200"}
    chosen = places(**transit, VAULT_TRANSIT_TOKEN_FILE=str(token_file), VAULT_KEY_FILE=str(key_file))
    assert isinstance(chosen.current, TransitPlace)
    assert chosen.former == KeyFilePlace(key_file)
    kms = {"VAULT_KEY_PROVIDER": "aws-kms", "VAULT_KMS_KEY": "alias/signoff", "VAULT_KMS_REGION": REGION}
    assert places(**kms) == KeyPlaces(KmsPlace("alias/signoff", REGION, None))
    plain = {"VAULT_TRANSIT_URL": "http://vault:8200", "VAULT_TRANSIT_ROLE": "auth"}
    for complaint, wrong in {
        "one of: file, transit, aws-kms": {"VAULT_KEY_PROVIDER": "hsm"},
        "VAULT_TRANSIT_TOKEN_FILE or VAULT_TRANSIT_ROLE": transit,
        "VAULT_TRANSIT_URL is not encrypted": transit | plain,
        "VAULT_KMS_ENDPOINT is not encrypted": kms | {"VAULT_KMS_ENDPOINT": "http://kms:80"},
        "VAULT_KMS_REGION is not set": {"VAULT_KEY_PROVIDER": "aws-kms", "VAULT_KMS_KEY": "alias/signoff"},
    }.items():
        with pytest.raises(SettingError, match=complaint):
            places(**wrong)


def test_who_does_not_choose_a_cloud_does_not_load_it():
    code = "import sys, auth.main; sys.exit(any(name.split('.')[0] == 'botocore' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_an_answer_to_people_says_nothing_of_the_key_service(key_file: Path):
    provider = provider_of(KeyPlaces(KeyFilePlace(key_file)))
    with pytest.raises(VaultUnavailable) as refused:
        await provider.unwrap(WrappedKey(b"x" * 60, "0123456789abcdef"), context=CONTEXT)
    assert "0123456789abcdef" in refused.value.reason
    assert "0123456789abcdef" not in str(refused.value.body())
    assert refused.value.status == 503
