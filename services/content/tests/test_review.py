"""Review, approval and seal: only what was approved, exactly as approved, is given to publisher as sealed."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from contracts.content import (
    PostApprovalWithdrawnV1,
    PostApprovedV1,
    PostChangesRequestedV1,
    PostSubmittedV1,
)
from contracts.sealing import SealedRevision, seal_message
from kit.ids import new_id
from kit.keys import BadSignature, TrustedKeys
from kit.testing.services import Bus


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:signoff:problem:")


def verify(revision: SealedRevision, keys_folder: Path) -> None:
    """What publisher does: hash what it was given, and check the signature over that hash."""
    seal = revision.seal
    assert seal is not None
    TrustedKeys.load(keys_folder / "trusted.jwks.json").verify(
        "content",
        seal_message(revision.content_hash(), seal.approved_by, seal.approved_at),
        base64.urlsafe_b64decode(seal.signature),
    )


@pytest.mark.promise("P32")
async def test_an_approved_revision_carries_a_seal_that_verifies(team, bus: Bus, keys_folder: Path):
    saved = await team.approved(team.variant("Grüße 🌷", settings={"langs": ["de"]}))
    revision = SealedRevision.model_validate_json((await team.sealed(saved)).content)
    verify(revision, keys_folder)
    assert revision.seal is not None
    assert revision.seal.approved_by == (team.account_id,)
    assert revision.seal.content_hash == revision.content_hash() == saved["content_hash"]
    (told,) = await bus.wait_told(PostApprovedV1)
    assert told == PostApprovedV1(
        workspace_id=team.workspace_id,
        post_id=UUID(saved["post_id"]),
        revision_id=UUID(saved["revision_id"]),
        content_hash=saved["content_hash"],
    )


@pytest.mark.promise("P32")
@pytest.mark.parametrize(
    "change",
    [
        {"text": "Hello!"},
        {"platform": "tiktok"},
        {"connection_id": new_id()},
        {"settings": {"langs": ["en"]}},
    ],
)
async def test_whatever_is_changed_after_approval_no_longer_fits_the_seal(team, keys_folder: Path, change):
    saved = await team.approved()
    revision = SealedRevision.model_validate_json((await team.sealed(saved)).content)
    tampered = revision.model_copy(update={"variants": (revision.variants[0].model_copy(update=change),)})
    assert tampered.content_hash() != revision.content_hash()
    with pytest.raises(BadSignature):
        verify(tampered, keys_folder)


async def test_numbers_in_settings_are_hashed_as_they_were_written(team, keys_folder: Path):
    settings = {
        "a": 1.0,
        "b": 1e22,
        "c": -0.0,
        "d": 0.1,
        "e": 9_007_199_254_740_993,
        "z": {"y": [None, True, "ü\u2028"]},
    }
    saved = await team.write(team.variant(settings=settings))
    revision = SealedRevision.model_validate_json((await team.sealed(saved)).content)
    assert revision.content_hash() == saved["content_hash"]


@pytest.mark.promise("P32")
async def test_an_edit_after_approval_withdraws_it(team, bus: Bus):
    approved = await team.approved()
    answer = await team.call(
        "PUT", f"/posts/{approved['post_id']}", json={"title": "Spring", "variants": [team.variant("Hello, all")]}
    )
    edited = answer.json()
    assert (answer.status_code, edited["number"], edited["state"]) == (200, 2, "draft")
    assert edited["content_hash"] != approved["content_hash"]
    assert (await team.sealed(approved)).json()["seal"] is None
    assert (await team.sealed(edited)).json()["seal"] is None
    (told,) = await bus.wait_told(PostApprovalWithdrawnV1)
    assert told.model_dump()["revision_id"] == UUID(approved["revision_id"])
    post = await team.post(approved)
    assert [step["step"] for step in post["history"]] == ["submitted", "approved", "approval_withdrawn"]
    assert [revision["seal"] for revision in post["revisions"]] == [None, None]


@pytest.mark.promise("P32")
async def test_an_edit_while_submitted_makes_the_decision_on_the_old_revision_impossible(team, bus: Bus):
    submitted = await team.submitted()
    await team.call(
        "PUT", f"/posts/{submitted['post_id']}", json={"title": "Spring", "variants": [team.variant("New")]}
    )
    answer = await team.try_to_decide("approval", submitted)
    assert problem(answer) == (409, "revision-outdated")
    assert (await team.post(submitted))["state"] == "draft"
    assert await bus.told(PostApprovedV1) == []


@pytest.mark.promise("P32")
async def test_an_approval_can_be_taken_back(team, bus: Bus):
    saved = await team.approved()
    answer = await team.call("DELETE", f"/posts/{saved['post_id']}/approval", role="approver")
    assert (answer.status_code, answer.json()["state"]) == (200, "submitted")
    assert (await team.sealed(saved)).json()["seal"] is None
    (told,) = await bus.wait_told(PostApprovalWithdrawnV1)
    assert told.model_dump()["revision_id"] == UUID(saved["revision_id"])
    await team.decide("approval", saved)
    assert (await team.sealed(saved)).json()["seal"] is not None


async def test_changes_are_asked_for_with_a_comment_and_kept_in_the_history(team, bus: Bus):
    saved = await team.submitted()
    post = await team.decide("changes", saved, role="approver", comment="Shorter, please.")
    assert post["state"] == "changes_requested"
    assert [(step["step"], step["comment"], step["decided_by"]) for step in post["history"]] == [
        ("submitted", "", str(team.account_id)),
        ("changes_requested", "Shorter, please.", str(team.account_id)),
    ]
    (told,) = await bus.wait_told(PostChangesRequestedV1)
    assert "Shorter" not in told.model_dump_json()
    assert (await team.decide("submission", saved))["state"] == "submitted"
    assert len(await bus.wait_told(PostSubmittedV1, 2)) == 2


@pytest.mark.parametrize(
    ("reached", "step", "more"),
    [
        ("write", "approval", {}),
        ("write", "changes", {"comment": "No"}),
        ("submitted", "submission", {}),
        ("approved", "approval", {}),
        ("approved", "submission", {}),
        ("approved", "changes", {"comment": "No"}),
    ],
)
async def test_a_step_that_does_not_follow_is_refused(team, reached: str, step: str, more: dict[str, str]):
    saved = await getattr(team, reached)()
    before = await team.post(saved)
    assert problem(await team.try_to_decide(step, saved, **more)) == (409, "wrong-state")
    assert await team.post(saved) == before


@pytest.mark.promise("P32")
async def test_of_two_who_decide_at_once_one_is_late(team, bus: Bus):
    saved = await team.submitted()
    answers = await asyncio.gather(
        team.try_to_decide("approval", saved),
        team.try_to_decide("changes", saved, comment="No"),
        team.try_to_decide("approval", saved, role="approver"),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    post = await team.post(saved)
    assert [step["step"] for step in post["history"]] == ["submitted", post["state"]]
    assert (post["revisions"][0]["seal"] is not None) == (post["state"] == "approved")


@pytest.mark.promise("P32")
async def test_an_edit_and_an_approval_at_once_never_leave_an_unseen_text_approved(team):
    saved = await team.submitted()
    body = {"title": "Spring", "variants": [team.variant("Unseen")]}
    edited, decided = await asyncio.gather(
        team.call("PUT", f"/posts/{saved['post_id']}", json=body), team.try_to_decide("approval", saved)
    )
    assert edited.status_code == 200
    assert decided.status_code in (200, 409)
    post = await team.post(saved)
    assert (post["state"], [revision["seal"] for revision in post["revisions"]]) == ("draft", [None, None])


async def test_an_approval_that_is_not_there_cannot_be_taken_back(team):
    saved = await team.submitted()
    assert problem(await team.call("DELETE", f"/posts/{saved['post_id']}/approval")) == (409, "wrong-state")


@pytest.mark.promise("P32")
@pytest.mark.parametrize(("role", "status"), [("editor", 403), ("viewer", 403), ("approver", 200), ("admin", 200)])
async def test_only_who_may_approve_approves(team, role: str, status: int):
    saved = await team.submitted()
    answer = await team.try_to_decide("approval", saved, role=role)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["needs"] == "post.approve"
        assert (await team.sealed(saved)).json()["seal"] is None


async def test_a_platform_that_would_refuse_the_post_stops_its_submission(team, bus: Bus):
    saved = await team.write(team.variant("x" * 301), {"connection_id": str(team.tiktok), "text": "No video"})
    assert [(item["pointer"], item["code"]) for item in saved["violations"]][:2] == [
        ("/variants/0/text", "text_too_long"),
        ("/variants/1/media", "media_missing"),
    ]
    answer = await team.try_to_decide("submission", saved)
    assert problem(answer) == (422, "platform-rules")
    assert answer.json()["errors"] == saved["violations"]
    post = await team.post(saved)
    assert (post["state"], post["history"], post["violations"]) == ("draft", [], saved["violations"])
    assert await bus.told(PostSubmittedV1) == []


async def test_a_post_for_no_connection_is_not_submitted(team):
    answer = await team.call("POST", "/posts", json={"title": "Empty", "variants": []})
    refused = await team.try_to_decide("submission", answer.json())
    assert problem(refused) == (422, "platform-rules")
    assert refused.json()["errors"][0]["pointer"] == "/variants"


async def test_a_revision_is_given_to_services_only(team):
    saved = await team.approved()
    path = f"/internal/workspaces/{team.workspace_id}/revisions/"
    client = team.client
    assert (
        await client.get(path + saved["revision_id"], headers=team.passport(service="scheduler"))
    ).status_code == 200
    assert problem(await client.get(path + saved["revision_id"], headers=team.headers())) == (403, "forbidden")
    metrics = team.passport(service="metrics")
    assert problem(await client.get(path + saved["revision_id"], headers=metrics)) == (403, "forbidden")
    assert problem(await client.get(path + saved["revision_id"])) == (401, "unauthenticated")
    publisher = team.passport(service="publisher")
    assert problem(await client.get(path + str(new_id()), headers=publisher)) == (404, "not-found")
    elsewhere = f"/internal/workspaces/{new_id()}/revisions/{saved['revision_id']}"
    assert problem(await client.get(elsewhere, headers=publisher)) == (404, "not-found")
