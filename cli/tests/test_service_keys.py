"""`signoff keys`: a running installation's services get new keys, and a lost one counts for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.embedded import DataDirectory
from kit.keys import SigningKey, TrustedKeys
from signoff import service_keys
from signoff.installation import SERVICES, Installation
from signoff.main import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    with DataDirectory(tmp_path / "data") as directory:
        return Installation.open(directory)


def listed(capsys: Captured, installation: Installation) -> dict[str, str]:
    assert main(["keys", "list", "--data", str(installation.path)]) == 0
    return dict(line.split("  ") for line in capsys.readouterr().out.splitlines())


def test_every_service_gets_new_keys_and_the_old_ones_run_out(capsys: Captured, installation: Installation):
    before = listed(capsys, installation)
    assert set(before.values()) == {"in use"}
    pauses: list[float] = []
    assert service_keys.rotate(installation.path, [], pause=pauses.append) == 0
    assert [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()] == list(SERVICES)
    assert len(pauses) == 2
    after = listed(capsys, installation)
    assert all(after[kid].startswith("tokens until ") for kid in before)
    assert sorted(state for kid, state in after.items() if kid not in before) == ["in use"] * len(SERVICES)
    trusted = TrustedKeys.load(installation.trusted_keys)
    for service in SERVICES:
        trusted.verify(service, b"fact", SigningKey.load(service, installation.signing_key(service)).sign(b"fact"))


def test_a_lost_key_is_taken_out_once_it_is_replaced(capsys: Captured, installation: Installation):
    (old,) = [kid for kid in listed(capsys, installation) if kid.startswith("auth#")]
    data = ["--data", str(installation.path)]
    assert main(["keys", "distrust", old, *data]) == 1
    assert capsys.readouterr().err == f"signoff: auth signs with {old} now: rotate it first\n"
    service_keys.rotate(installation.path, ["auth"], pause=lambda _: None)
    assert main(["keys", "distrust", old, *data]) == 0
    capsys.readouterr()
    assert old not in listed(capsys, installation)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rotate", "postman"], "postman is no service"),
        (["distrust", "auth#nobody"], "auth#nobody is not a trusted key"),
    ],
)
def test_what_there_is_not_is_refused_in_one_line(
    capsys: Captured, installation: Installation, arguments: list[str], complaint: str
):
    assert main(["keys", *arguments, "--data", str(installation.path)]) == 1
    assert complaint in capsys.readouterr().err


def test_a_folder_without_an_installation_has_no_keys(capsys: Captured, tmp_path: Path):
    assert main(["keys", "rotate", "--data", str(tmp_path)]) == 1
    assert "holds no keys" in capsys.readouterr().err
