"""Settings are read once, with one line that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.secret import Secret
from kit.settings import Environment, ServiceSettings, SettingError, Stage


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """A production environment of auth with all it must have."""
    for name in ("signing.pem", "trusted.json", "seed"):
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


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SIGNOFF_STAGE", "test", "SIGNOFF_STAGE is 'test', but must be one of: development, production"),
        ("DATABASE_CONNECTIONS_MAX", "many", "DATABASE_CONNECTIONS_MAX is 'many', but must be a whole number"),
        ("DATABASE_CONNECTIONS_MAX", "1", "DATABASE_CONNECTIONS_MAX is 1, but must be between 2 and 200"),
        ("SIGNING_KEY_FILE_AUTH", "/nowhere", "SIGNING_KEY_FILE_AUTH names /nowhere, but there is no such file"),
        ("NATS_SEED_FILE_AUTH", "/nowhere", "NATS_SEED_FILE_AUTH names /nowhere, but there is no such file"),
        ("CLOCK_FILE", "/clock", "CLOCK_FILE is set, but a production system has no movable clock"),
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
    assert settings.nats_url is None


def test_neighbours_are_found_by_their_name(variables: dict[str, str]):
    settings = read(variables | {"SERVICE_URL_CONTENT": "http://content:8000", "SERVICE": "x"})
    assert settings.neighbours == {"content": "http://content:8000"}


def test_printed_settings_give_no_password_away(variables: dict[str, str]):
    assert "hunter2" not in repr(read(variables))
