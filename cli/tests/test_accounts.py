"""`signoff accounts` and `signoff notify` on a real database: what is done, and what cannot be, is said in a line."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from kit.testing.services import ServiceEnvironment
from signoff.main import main

Captured = pytest.CaptureFixture[str]
POLICY = ["--summary", "We keep less.", "--valid-from", "1 March", "--policy", "https://signoff.example/privacy"]


@pytest.fixture
def rows(service_environment: ServiceEnvironment, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection:
    """auth's database with one person who waits and one who is in."""
    environment = service_environment("auth")
    monkeypatch.setenv("DATABASE_URL_AUTH", environment["DATABASE_URL_AUTH"])
    connection = psycopg.connect(environment["DATABASE_SUPERUSER_URL_AUTH"], autocommit=True)
    for address, state in (("waits@example.com", "waiting"), ("is.in@example.com", "active")):
        connection.execute(
            "INSERT INTO account (account_id, email, time_zone, language, age_attested_at, created_at, state)"
            " VALUES (%s, %s, 'UTC', 'en', now(), now(), %s)",
            (uuid4(), address, state),
        )
    return connection


def told(rows: psycopg.Connection, kind: str) -> list[str]:
    return [address for (address,) in rows.execute("SELECT address FROM letter WHERE kind = %s", (kind,)).fetchall()]


@pytest.mark.promise("P03")
def test_an_operator_sees_who_waits_and_lets_them_in(rows: psycopg.Connection, capsys: Captured):
    assert main(["accounts", "waiting"]) == 0
    assert "waits@example.com\n1 waiting\n" in capsys.readouterr().out
    assert main(["accounts", "approve", "waits@example.com"]) == 0
    assert "may sign in" in capsys.readouterr().out
    assert told(rows, "account_approved") == ["waits@example.com"]
    assert main(["accounts", "waiting"]) == 0
    assert capsys.readouterr().out == "nobody waits\n"
    assert main(["accounts", "refuse", "waits@example.com"]) == 1
    assert capsys.readouterr().err == "signoff: no account waits@example.com waits for approval\n"


def test_nothing_is_erased_without_a_yes(rows: psycopg.Connection, capsys: Captured, monkeypatch: pytest.MonkeyPatch):
    def deleted() -> int:
        row = rows.execute("SELECT count(*) FROM account WHERE deleted_at IS NOT NULL").fetchone()
        assert row is not None
        return int(row[0])

    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(["accounts", "erase", "is.in@example.com"]) == 1
    assert (capsys.readouterr().out, deleted()) == ("nothing was done\n", 0)
    assert main(["accounts", "erase", "is.in@example.com", "--yes"]) == 0
    assert deleted() == 1
    assert main(["accounts", "erase", "nobody@example.com", "--yes"]) == 1
    assert capsys.readouterr().err == "signoff: no account nobody@example.com is there\n"


def test_people_are_counted_before_they_are_written_to(rows: psycopg.Connection, capsys: Captured):
    assert main(["notify", "policy", *POLICY, "--dry-run"]) == 0
    assert (capsys.readouterr().out, told(rows, "policy_changed")) == ("1 people would be told\n", [])
    assert main(["notify", "policy", *POLICY]) == 0
    assert told(rows, "policy_changed") == ["is.in@example.com"]
    incident = ["notify", "incident", "--summary", "Something happened.", "--advice", "Nothing is to be done."]
    assert main([*incident, "--platform", "tiktok"]) == 0
    assert told(rows, "incident") == []


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        (["--workspace", "mine"], "badly formed hexadecimal UUID string"),
        (["--active-from", "yesterday"], "Invalid isoformat string"),
        (["--active-from", "2026-03-01T14:00:00"], "has no offset"),
        (["--summary", " "], "--summary is empty"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    rows: psycopg.Connection, capsys: Captured, choice: list[str], complaint: str
):
    incident = ["notify", "incident", "--summary", "x", "--advice", "y"] if "--summary" not in choice else [
        "notify", "incident", "--advice", "y",
    ]  # fmt: skip
    assert main([*incident, *choice]) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert told(rows, "incident") == []
