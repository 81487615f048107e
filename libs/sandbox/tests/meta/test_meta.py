"""What Meta's products have in common: versions that end, limits told in percent, fields, pages, signed callbacks."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from kit.testing.waiting import wait_for
from litestar import Litestar, Request, Response, get, post
from sandbox.fetching import NotFetched, fetch
from sandbox.meta.answers import GraphError
from sandbox.meta.clients import Client
from sandbox.meta.fields import parse_fields, select
from sandbox.meta.paging import paged
from sandbox.meta.usage import Usage, UseCase
from sandbox.meta.versions import Versions
from sandbox.meta.webhooks import Webhooks, signed_request
from sandbox.serving import LoopbackServer
from sandbox.tuning import Tuning

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_a_version_that_ended_is_answered_as_the_oldest_that_has_not() -> None:
    versions = Versions({"v24.0": TODAY, "v25.0": None, "v26.0": None})
    assert versions.split("/v26.0/me/accounts", TODAY) == ("v26.0", "me/accounts")
    assert versions.split("/v24.0/me", TODAY - timedelta(days=1)) == ("v24.0", "me")
    assert versions.split("/v24.0/me", TODAY) == ("v25.0", "me")
    assert versions.split("/v3.1/me", TODAY) == ("v25.0", "me")
    assert versions.split("/me/accounts/", TODAY) == ("v25.0", "me/accounts")
    with pytest.raises(GraphError) as caught:
        versions.split("/v27.0/me", TODAY)
    assert caught.value.error["code"] == 2500


def test_an_accounts_limit_rolls_and_tells_when_it_is_free_again() -> None:
    usage = Usage(UseCase("pages", 80001, "Page"), account_max=4)
    for minutes in range(4):
        usage.count("app", "7", now=NOW + timedelta(minutes=minutes))
    (entry,) = json.loads(usage.headers("app", "7", now=NOW)["x-business-use-case-usage"])["7"]
    assert (entry["type"], entry["call_count"], entry["estimated_time_to_regain_access"]) == ("pages", 100, 1440)
    with pytest.raises(GraphError, match="80001"):
        usage.count("app", "7", now=NOW + timedelta(hours=23))
    usage.count("app", "8", now=NOW + timedelta(hours=23))
    usage.count("app", "7", now=NOW + timedelta(hours=24))


def test_an_applications_limit_is_by_the_hour() -> None:
    usage = Usage(UseCase("pages", 80001, "Page"), application_max=2)
    usage.count("app", None, now=NOW)
    assert json.loads(usage.headers("app", None, now=NOW)["x-app-usage"])["call_count"] == 50
    usage.count("app", None, now=NOW)
    with pytest.raises(GraphError) as caught:
        usage.count("app", None, now=NOW + timedelta(minutes=59))
    assert (caught.value.error["code"], caught.value.error["is_transient"]) == (4, True)
    usage.count("app", None, now=NOW + timedelta(hours=1))


def test_fields_have_fields_and_arguments() -> None:
    wanted = parse_fields("id, picture{url}, comments.limit(0).summary(true){id,from{name}}")
    assert set(wanted) == {"id", "picture", "comments"}
    assert wanted["comments"].arguments == {"limit": "0", "summary": "true"}
    assert set(wanted["comments"].fields["from"].fields) == {"name"}
    document = {"id": "1", "name": "A", "picture": {"data": {"url": "u", "width": 5}}, "about": None}
    assert select(document, parse_fields("name,picture{url},about"), node="Page") == {
        "id": "1",
        "name": "A",
        "picture": {"data": {"url": "u"}},
    }


@pytest.mark.parametrize("text", ["id,,name", "id{", "id}", "comments.limit", "{id}", "a b!"])
def test_fields_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(GraphError, match="Syntax"):
        parse_fields(text)


def test_a_field_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(GraphError, match=r"nonexisting field \(shoe_size\) on node type \(Page\)"):
        select({"id": "1"}, parse_fields("shoe_size"), node="Page")


def test_a_list_says_next_until_its_end() -> None:
    items, after, found = list(range(7)), "", []
    for _ in range(3):
        page = paged(items, {"limit": "3", "after": after}, address="http://x/list", token="T")
        found += page["data"]
        after = page["paging"]["cursors"]["after"]
        assert ("next" in page["paging"]) == (len(found) < 7)
    assert found == items
    assert paged(items, {"after": after}, address="", token="") == {"data": []}
    assert paged(items, {"after": "nonsense", "limit": "-1"}, address="", token="")["data"] == items


def test_a_signed_request_has_its_known_form() -> None:
    signature, payload = signed_request(Client(client_secret="test_app_secret"), "218471", NOW).split(".")
    assert "=" not in signature + payload
    assert payload.startswith("eyJ")


@dataclass
class Inbox:
    """Takes webhooks; answers the first ones with an error if told so."""

    failures: int = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def app(self) -> Litestar:
        @post(["/hook", "/of/facebook"], status_code=200)
        async def hook(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.received.append((dict(request.headers), await request.body()))
            self.failures -= 1
            return Response(b'{"confirmation_code":"c1"}', status_code=500 if self.failures >= 0 else 200)

        @get("/file")
        async def file() -> Response[bytes]:
            return Response(b"door", headers={"content-type": "image/jpeg; charset=x"})

        return Litestar([hook, file], openapi_config=None, logging_config=None)


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[Inbox, str]]:
    inbox, server = Inbox(), LoopbackServer()
    await server.start(inbox.app())
    yield inbox, server.base_url
    await server.stop()


async def test_webhooks_are_signed_as_sent_and_repeated_until_taken(inbox: tuple[Inbox, str]) -> None:
    box, address = inbox
    box.failures = 1
    clock = FixedClock(NOW)
    webhooks = Webhooks("facebook", clock, Tuning(webhook_url=f"{address}/of/{{platform}}"))
    client = Client(deletion_url=f"{address}/hook")
    webhooks.change(client, "page", "7", "feed", {"message": "Tür"}, at=NOW + timedelta(seconds=5))
    assert box.received == []
    clock.advance(timedelta(seconds=5))
    await wait_for(lambda: len(box.received) == 2, what="the second try")
    for headers, body in box.received:
        assert b"T\\u00fcr" in body
        assert (
            headers["x-hub-signature-256"]
            == "sha256=" + hmac.new(b"sandbox-client-secret", body, hashlib.sha256).hexdigest()
        )
    webhooks.ask_for_deletion(client, "218471")
    await wait_for(lambda: webhooks.answers[-1] == (200, b'{"confirmation_code":"c1"}'), what="the answer")
    await webhooks.stop()


async def test_files_are_fetched_from_this_machine_only(inbox: tuple[Inbox, str]) -> None:
    fetched = await fetch(f"{inbox[1]}/file")
    assert (fetched.sha256, fetched.size_bytes) == (hashlib.sha256(b"door").hexdigest(), 4)
    assert fetched.content_type == "image/jpeg"
    for address in ("https://example.com/a.jpg", "", f"{inbox[1]}/nothing", "http://127.0.0.1:1/"):
        with pytest.raises(NotFetched):
            await fetch(address)
    with pytest.raises(NotFetched, match="too large"):
        await fetch(f"{inbox[1]}/file", bytes_max=3)
