"""Settings are read once, with one line that names what is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from kit.secret import Secret
from kit.settings import BusSettings, Environment, ServiceSettings, SettingError, Stage, read_duration


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """A production environment of auth with all it must have."""
    for name in ("signing.pem", "trusted.json", "seed", "ca.pem"):
        (tmp_path / name).write_text("-")
    return {
        "DATABASE_URL_AUTH": "postgresql://auth:hunter2@db/auth",
        "NATS_URL": "tls://nats:4222",
        "SIGNING_KEY_FILE_AUTH": str(tmp_path / "signing.pem"),
        "TRUSTED_KEYS_FILE": str(tmp_path / "trusted.json"),
    }


def read(variables: dict[str, str], *, has_database: bool = True) -> ServiceSettings:
    return ServiceSettings.read(Environment(variables), "auth", has_database=has_database)


def test_without_a_stage_it_is_production(variables: dict[str, str]):
    settings = read(variables)
    assert settings.stage is Stage.PRODUCTION
    assert settings.database_url == Secret("postgresql://auth:hunter2@db/auth")
    assert settings.clock_file is None
    assert settings.neighbours == {}


@pytest.mark.parametrize("missing", ["DATABASE_URL_AUTH", "NATS_URL", "SIGNING_KEY_FILE_AUTH", "TRUSTED_KEYS_FILE"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named(variables: dict[str, str], missing: str, value: str | None):
    del variables[missing]
    if value is not None:
        variables[missing] = value
    with pytest.raises(SettingError, match=f"^{missing} is not set$"):
        read(variables)


_NO_ADDRESS = "OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https address without a user or password"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SIGNOFF_STAGE", "test", "SIGNOFF_STAGE is 'test', but must be one of: development, production"),
        ("DATABASE_CONNECTIONS_MAX", "many", "DATABASE_CONNECTIONS_MAX is 'many', but must be a whole number"),
        ("DATABASE_CONNECTIONS_MAX", "1", "DATABASE_CONNECTIONS_MAX is 1, but must be between 2 and 200"),
        ("SIGNING_KEY_FILE_AUTH", "/nowhere", "SIGNING_KEY_FILE_AUTH names /nowhere, but there is no such file"),
        ("NATS_SEED_FILE_AUTH", "/nowhere", "NATS_SEED_FILE_AUTH names /nowhere, but there is no such file"),
        ("NATS_CA_FILE", "/nowhere", "NATS_CA_FILE names /nowhere, but there is no such file"),
        ("NATS_PLAIN_TEXT", "yes", "NATS_PLAIN_TEXT is 'yes', but must be one of: refused, allowed"),
        ("CLOCK_FILE", "/clock", "CLOCK_FILE is set, but a production system has no movable clock"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "OTEL_TRACES_SAMPLER_ARG is '1.5', but must be a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan", "OTEL_TRACES_SAMPLER_ARG is 'nan', but must be a number from 0 to 1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", _NO_ADDRESS),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", _NO_ADDRESS),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:hunter2@collector", _NO_ADDRESS),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_should_be(
    variables: dict[str, str], name: str, value: str, complaint: str
):
    with pytest.raises(SettingError) as caught:
        read(variables | {name: value})
    assert str(caught.value) == complaint


def test_only_development_has_a_movable_clock(variables: dict[str, str], tmp_path: Path):
    settings = read(variables | {"SIGNOFF_STAGE": "development", "CLOCK_FILE": str(tmp_path / "clock")})
    assert settings.clock_file == tmp_path / "clock"


def test_a_service_without_a_database_needs_neither_it_nor_the_bus(variables: dict[str, str]):
    del variables["DATABASE_URL_AUTH"], variables["NATS_URL"]
    settings = read(variables, has_database=False)
    assert settings.database_url is None
    assert settings.bus is None


def test_every_trace_is_recorded_unless_a_share_is_named(variables: dict[str, str]):
    assert read(variables).traces_share == 1.0
    assert read(variables | {"OTEL_TRACES_SAMPLER_ARG": "0.05"}).traces_share == 0.05
    assert read(variables).otlp_endpoint is None


def test_neighbours_are_found_by_their_name(variables: dict[str, str]):
    settings = read(variables | {"SERVICE_URL_CONTENT": "http://content:8000", "SERVICE": "x"})
    assert settings.neighbours == {"content": "http://content:8000"}


def test_printed_settings_give_no_password_away(variables: dict[str, str]):
    assert "hunter2" not in repr(read(variables))


def test_the_bus_is_found_with_everything_it_takes(variables: dict[str, str], tmp_path: Path):
    files = {"NATS_SEED_FILE_AUTH": str(tmp_path / "seed"), "NATS_CA_FILE": str(tmp_path / "ca.pem")}
    pair = {"NATS_CERTIFICATE_FILE": str(tmp_path / "ca.pem"), "NATS_KEY_FILE": str(tmp_path / "seed")}
    bus = read(variables | files | pair | {"NATS_URL": "tls://a:4222, tls://b:4222,"}).bus
    assert bus is not None
    assert bus.urls == ("tls://a:4222", "tls://b:4222")
    assert (bus.seed_file, bus.ca_file) == (tmp_path / "seed", tmp_path / "ca.pem")
    assert (bus.certificate_file, bus.key_file) == (tmp_path / "ca.pem", tmp_path / "seed")
    assert bus.encrypted


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("nats", "must be nats://host:port or tls://host:port"),
        ("http://nats:4222", "must be nats://host:port or tls://host:port"),
        ("tls://:4222", "must be nats://host:port or tls://host:port"),
        ("tls://nats:port", "must be nats://host:port or tls://host:port"),
        ("tls://nats:99999", "must be nats://host:port or tls://host:port"),
        ("tls://nats/path", "must be nats://host:port or tls://host:port"),
        (",", "must be nats://host:port or tls://host:port"),
        ("tls://a:4222,nats://b:4222", "mixes nats:// and tls://"),
        ("tls://somebody:hunter2@nats:4222", "holds a user or password"),
        ("tls://hunter2@nats:4222", "holds a user or password"),
    ],
)
def test_an_address_of_the_bus_that_cannot_be_is_refused_without_repeating_it(url: str, complaint: str):
    with pytest.raises(SettingError, match=f"^NATS_URL {complaint}") as caught:
        BusSettings(url)
    assert "hunter2" not in str(caught.value)


def test_a_certificate_comes_with_its_key(tmp_path: Path):
    with pytest.raises(SettingError, match="NATS_CERTIFICATE_FILE and NATS_KEY_FILE belong together"):
        BusSettings("tls://nats:4222", certificate_file=tmp_path)


PLAIN = {"NATS_URL": "nats://nats:4222"}


def test_production_talks_to_the_bus_encrypted(variables: dict[str, str], tmp_path: Path):
    with pytest.raises(
        SettingError, match=r"^NATS_URL is not encrypted: name it tls://…, or set NATS_PLAIN_TEXT=allow"
    ):
        read(variables | PLAIN)
    for enough in ({"NATS_CA_FILE": str(tmp_path / "ca.pem")}, {"NATS_PLAIN_TEXT": "allowed"}):
        assert read(variables | PLAIN | enough).bus is not None
    developing = read(variables | PLAIN | {"SIGNOFF_STAGE": "development"}).bus
    assert developing is not None
    assert not developing.encrypted


@pytest.mark.parametrize(
    ("text", "duration"),
    [("45s", timedelta(seconds=45)), ("1d12h", timedelta(hours=36)), ("90m", timedelta(minutes=90))],
)
def test_a_duration_is_read_as_people_write_it(text: str, duration: timedelta):
    assert read_duration(text) == duration


@pytest.mark.parametrize("text", ["", "7", "7 d", "-7d", "7w", "1.5h", "d"])
def test_what_is_no_duration_is_said_to_be_none(text: str):
    with pytest.raises(SettingError, match="is no duration"):
        read_duration(text)


@pytest.mark.parametrize("text", ["3650d1s", "999999999d999999999d"])
def test_no_duration_is_longer_than_a_calendar_bears(text: str):
    with pytest.raises(SettingError, match=f"^{text} is too long: at most 3650d$"):
        read_duration(text)
