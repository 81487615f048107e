"""No secret is in anything that is written: planted all over the system, looked for in every byte, in every spelling.

A process for each service, real servers, platforms that quote tokens in their errors. The controls show that what is
looked for would be found: each place has something in it that is known to be there.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from kit.testing import wait_for
from kit.testing.collector import Collector
from signoff.demo.person import Person
from signoff.split import Split

from tests.integration.hunt.places import written_backups, written_files, written_letters, written_rows
from tests.integration.hunt.planted import Planted, password, spellings
from tests.integration.hunt.walk import Walk, take

WRITTEN_TO = ("logs", "nats", "objects")
"""Folders of an installation that its processes write to, beside the databases and the letters."""


async def back_up(system: Split, data: Path) -> None:
    """A new backup of everything, and one of the keys."""

    def taken() -> int:
        return len(list((data / "backups").rglob("manifest.json")))

    before = taken()
    system.clock.advance(timedelta(hours=25))
    await wait_for(lambda: taken() >= before + 2, 60, what="both backups")


@pytest.mark.promise("P06")
@pytest.mark.promise("P22")
async def test_no_secret_is_in_anything_that_is_written(server_folder: Path):
    data = server_folder / "secrets"
    planted = Planted()
    with Collector() as collector:
        async with (
            Split(data, sandbox=True, environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as system,
            Person("owner", "owner@example.com", system.gateway_url) as owner,
        ):
            walk = Walk(system, owner, planted)
            await take(walk)
            await back_up(system, data)
            postgres = system.surroundings.addresses.postgres
            assert postgres is not None
            places = written_rows(postgres) | written_backups(postgres, data / "backups")
            for password_file in (data / "keys").glob("*passwords.json"):
                for roles in json.loads(password_file.read_text()).values():
                    planted.add("database password", *roles.values())
        spans = b"".join(collector.bodies)
    for name in ("vault.key", "api-key.pepper"):
        planted.add("key file", (data / "keys" / name).read_text().strip())
    letters = written_letters(data / "mail")
    planted.add("link", *(letter.token for letter in letters if letter.token))
    for folder in WRITTEN_TO:
        places |= written_files(data / folder)
    places["spans"] = spans

    assert {name: found for name, content in places.items() if (found := planted.found_in(content))} == {}
    for letter in letters:
        assert planted.found_in(letter.content, besides=[letter.token or ""]) == [], letter.kind
    for exchange in walk.recorder.exchanges:
        shown = walk.handed_out.get(exchange.path, set())
        assert planted.found_in(exchange.answered, besides=shown) == [], exchange.path
    passport = re.compile(rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.")
    assert [name for name, content in places.items() if passport.search(content)] == []
    see_what_is_there(walk, places, letters=len(letters))


def see_what_is_there(walk: Walk, places: dict[str, bytes], *, letters: int) -> None:
    """The controls: each place was written to, and searched where it was."""
    workspace, connection = walk.path.rpartition("/")[2].encode(), walk.connections["bluesky"].encode()
    for service in ("auth", "publisher", "gateway"):
        assert b'"event"' in places[f"logs/{service}.jsonl"], service
    assert connection in places["logs/auth.jsonl"]
    assert connection in places["database publisher"]
    assert any(connection in content for name, content in places.items() if name.startswith("nats/"))
    assert any(name.startswith("objects/") for name in places)
    assert any(b"Harbour" in content for name, content in places.items() if name.startswith("backup auth.dump"))
    assert any(b"grant_key" in content for name, content in places.items() if name.startswith("backup auth_keys.dump"))
    assert b"POST bluesky" in places["spans"]
    assert workspace in places["database auth"]
    assert letters >= 4
    assert len(walk.planted.secrets) > 50
    own = walk.person.password
    asked = [exchange.asked for exchange in walk.recorder.exchanges if exchange.path == "/api/session"]
    assert any(walk.planted.found_in(body) for body in asked)
    assert any(
        json.dumps(own).encode() in body or json.dumps(own, ensure_ascii=False).encode() in body for body in asked
    )


@pytest.mark.parametrize("before", range(3))
def test_a_secret_is_found_however_it_is_written(before: int):
    secret = password("planted")
    around = b"x" * before
    for written in (
        secret.encode(),
        secret[::-1].encode(),
        json.dumps({"a": secret}).encode(),
        json.dumps(json.dumps({"a": secret}, ensure_ascii=False), ensure_ascii=False).encode(),
        quote(secret).encode(),
        secret.encode().hex().encode(),
        base64.b64encode(around + secret.encode() + around),
        base64.urlsafe_b64encode(around + secret.encode() + around),
    ):
        assert any(spelling in b"<" + written + b">" for spelling in spellings(secret)), written
    assert not any(spelling in b"nothing of it" for spelling in spellings(secret))
