"""A certificate proves an erasure to outsiders, and says nothing about whom."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from contracts.retention import SubjectKind
from contracts.topology import erasing_services
from kit.certificates import CertificateInvalid, verify_certificate
from kit.ids import new_id
from retention.domain.erasure import digest_of

from services.retention.tests.conftest import World, account_deleted, requested, revoked

TYPE = "urn:signoff:problem:"


async def certified(world: World) -> tuple[UUID, UUID]:
    """The erasure and the account of a finished one."""
    event = account_deleted()
    await world.bus.publish(event)
    await requested(world)
    await world.drain_requests()
    await world.drain_auth()
    await world.answer_all(event.erasure_id)
    await world.wait_state(event.erasure_id, "final")
    return event.erasure_id, event.account_id


@pytest.mark.promise("P63")
async def test_a_certificate_names_every_task_and_verifies_with_the_published_keys(world: World):
    erasure_id, account_id = await certified(world)
    document = await world.certificate(erasure_id)
    assert document["erasure_id"] == str(erasure_id)
    assert document["subject_digest"] == digest_of(SubjectKind.ACCOUNT, account_id)
    assert [task["service"] for task in document["tasks"]] == list(erasing_services())
    assert all(task["erased"] == {"row": 3} and task["remaining"] == {"row": 0} for task in document["tasks"])
    assert document["streams"]["AUTH"] == 1
    assert document["backups"] == {"taken": False, "last_expires_at": None}
    assert (document["final"], document["policy_version"]) == (True, 2)
    assert str(account_id) not in json.dumps(document)


async def test_a_tampered_certificate_fails(world: World):
    erasure_id, _ = await certified(world)
    keys = (await world.client.get("/api/certificate-keys")).json()
    header, payload, signature = (await world.erasure(erasure_id))["certificate"].split(".")
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    document["tasks"] = []
    forged = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
    with pytest.raises(CertificateInvalid):
        verify_certificate(f"{header}.{forged}.{signature}", keys)


@pytest.mark.promise("P61")
async def test_a_connections_certificate_says_until_when_events_name_it(world: World):
    event = revoked(world.clock.now())
    await world.bus.publish(event)
    await world.wait_state(event.erasure_id, "scheduled")
    world.clock.advance(timedelta(days=29))
    await requested(world)
    await world.drain_requests()
    await world.answer_all(event.erasure_id)
    await world.wait_state(event.erasure_id, "final")
    document = await world.certificate(event.erasure_id)
    assert document["events_until"] == (event.revoked_at + timedelta(days=30)).isoformat()
    assert document["events_until"] == document["due_at"]


async def test_an_erasure_is_readable_by_its_id_alone(world: World):
    erasure_id, _ = await certified(world)
    body = await world.erasure(erasure_id)
    assert {task["service"]: task["state"] for task in body["tasks"]} == dict.fromkeys(
        (*erasing_services(), "retention"), "done"
    )
    unknown = await world.client.get(f"/api/erasures/{new_id()}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, TYPE + "erasure-unknown")
    assert (await world.client.get("/api/erasures/not-an-id")).status_code == 404


async def test_the_keys_hold_nothing_private(world: World):
    keys = (await world.client.get("/api/certificate-keys")).json()["keys"]
    assert [(key["kid"].partition("#")[0], key["crv"], "d" in key) for key in keys] == [("retention", "Ed25519", False)]


@pytest.mark.promise("P66")
async def test_what_is_kept_is_listed_with_its_reason_and_its_end(world: World):
    policy = (await world.client.get("/api/retention-policy")).json()
    assert {rule["subject_kind"]: rule["promised_within_days"] for rule in policy["erased"]} == {
        "connection": 30,
        "workspace": 30,
        "account": 30,
    }
    assert policy["backups"] == {
        "kept_days": 60,
        "promised_within_days": 90,
        "keys_kept_days": 6,
        "keys_promised_within_days": 7,
    }
    assert policy["kept"]
    assert all(kept["reason"] and kept["days"] > 0 for kept in policy["kept"])
