"""The versions of an event: what is stored in the older is read in the newer, and told in both while it must be."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from uuid import UUID

import pytest
from contracts import registry
from contracts.auth import ConnectionRevokedV1, ConnectionRevokedV2
from contracts.event import Event
from contracts.registry import (
    EVENTS,
    also_told_as,
    downcasts,
    event,
    is_told,
    newer_version,
    older_versions,
    upcast,
    upcasts,
)
from contracts.topology import CONSUMERS, Consumer, listeners_of

SAMPLES = Path(__file__).parents[1] / "samples"
REVOKED = {
    "workspace_id": "0199c1d1-0b44-7f02-8a6d-91c2be07f3d5",
    "connection_id": "0199c1d3-7e10-7a9b-b2c4-5f6e01d8a923",
    "platform": "tiktok",
    "revoked_at": "2026-04-07T09:30:00Z",
    "erasure_id": "019a5e77-20b3-7a61-8f4c-d3927be5016a",
}
OLDER = sorted(name for name, found in EVENTS.items() if newer_version(found))


def sample(name: str) -> Event:
    return EVENTS[name].model_validate_json((SAMPLES / f"{name}.json").read_bytes())


def test_every_version_leads_to_the_next():
    """An older version without an upcast would reach no handler."""
    stranded = [
        name
        for name, found in EVENTS.items()
        if f"{found.type}.v{found.version + 1}" in EVENTS and newer_version(found) is None
    ]
    assert stranded == []
    assert "connection.revoked.v1" in OLDER


@pytest.mark.parametrize("name", OLDER)
def test_the_older_sample_is_read_in_the_newer_version_and_keeps_its_ids(name: str):
    stored = sample(name)
    newer = upcast(stored)
    assert newer is not None
    assert type(newer) is newer_version(type(stored))
    assert (newer.key(), newer.aggregate()) == (stored.key(), stored.aggregate())
    assert type(newer).model_validate_json(newer.model_dump_json()) == newer


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_older_version_that_is_told_beside_has_the_same_ids(name: str):
    told = sample(name)
    for older in also_told_as(told):
        assert older.type == told.type
        assert (older.key(), older.aggregate()) == (told.key(), told.aggregate())
        assert type(older).model_validate_json(older.model_dump_json()) == older


@pytest.mark.parametrize(
    ("reason", "platform_confirmed", "means"),
    [
        ("disconnected", True, "confirmed"),
        ("disconnected", False, "unconfirmed"),
        ("account_deleted", False, "unconfirmed"),
        ("platform", True, "not_asked"),
        ("platform", False, "not_asked"),
    ],
)
def test_a_revocation_of_version_1_says_in_version_2_whether_the_platform_was_asked(
    reason: str, platform_confirmed: bool, means: str
):
    stored = ConnectionRevokedV1.model_validate(REVOKED | {"reason": reason, "platform_confirmed": platform_confirmed})
    assert upcast(stored) == ConnectionRevokedV2.model_validate(
        REVOKED | {"reason": reason, "platform_confirmation": means}
    )


@pytest.mark.parametrize(("said", "warns"), [("confirmed", False), ("unconfirmed", True), ("not_asked", False)])
def test_version_1_warns_only_of_an_access_that_may_still_stand(said: str, warns: bool):
    told = ConnectionRevokedV2.model_validate(REVOKED | {"reason": "disconnected", "platform_confirmation": said})
    assert also_told_as(told) == [
        ConnectionRevokedV1.model_validate(REVOKED | {"reason": "disconnected", "platform_confirmed": not warns})
    ]


@pytest.mark.parametrize(
    ("reason", "confirmation"),
    [
        *itertools.product(("disconnected", "account_deleted", "workspace_deleted"), ("confirmed", "unconfirmed")),
        ("platform", "not_asked"),
    ],
)
def test_what_auth_can_tell_comes_back_from_version_1_unchanged(reason: str, confirmation: str):
    """So it does not matter which of the two a consumer that hears both takes first."""
    told = ConnectionRevokedV2.model_validate(REVOKED | {"reason": reason, "platform_confirmation": confirmation})
    (older,) = also_told_as(told)
    assert upcast(older) == told


class MediaMovedV1(Event):
    workspace_id: UUID
    media_id: UUID


class MediaMovedV2(MediaMovedV1):
    to: str


class MediaMovedV3(MediaMovedV1):
    place: str


STORED = MediaMovedV1(workspace_id=UUID(int=1), media_id=UUID(int=2))
MOVED: tuple[type[MediaMovedV1], ...] = (MediaMovedV1, MediaMovedV2, MediaMovedV3)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register three versions of an event, which the registry forgets after the test."""
    for name in ("_events", "_upcasts", "_downcasts"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    for number, cls in enumerate(MOVED, start=1):
        event("media.moved", number, owner="content", aggregate="media_id")(cls)


@pytest.fixture
def chain(moved: None) -> None:
    """The three as a chain whose first is not told any more."""
    upcasts(MediaMovedV1, MediaMovedV2)(lambda e: MediaMovedV2(**dict(e), to="here"))
    upcasts(MediaMovedV2, MediaMovedV3)(
        lambda e: MediaMovedV3(workspace_id=e.workspace_id, media_id=e.media_id, place=e.to)
    )
    downcasts(MediaMovedV3, MediaMovedV2)(
        lambda e: MediaMovedV2(workspace_id=e.workspace_id, media_id=e.media_id, to=e.place)
    )


@pytest.mark.usefixtures("chain")
def test_versions_form_a_chain():
    second = upcast(STORED)
    assert second is not None
    newest = upcast(second)
    assert newest == MediaMovedV3(**dict(STORED), place="here")
    assert upcast(newest) is None
    assert older_versions(MediaMovedV3) == [MediaMovedV2, MediaMovedV1]


@pytest.mark.usefixtures("chain")
def test_a_version_is_told_as_long_as_a_downcast_leads_to_it():
    newest = MediaMovedV3(**dict(STORED), place="here")
    assert [type(older) for older in also_told_as(newest)] == [MediaMovedV2]
    assert [is_told(version) for version in MOVED] == [False, True, True]
    downcasts(MediaMovedV2, MediaMovedV1)(lambda e: MediaMovedV1(workspace_id=e.workspace_id, media_id=e.media_id))
    assert [type(older) for older in also_told_as(newest)] == [MediaMovedV2, MediaMovedV1]
    assert all(is_told(version) for version in MOVED)


@pytest.mark.usefixtures("chain")
def test_a_consumer_hears_every_version_that_leads_to_the_one_it_lists():
    consumer = Consumer("metrics", "CONTENT", (MediaMovedV3,))
    assert consumer.arriving == (MediaMovedV3, MediaMovedV2, MediaMovedV1)
    assert consumer.filter_subjects[:3] == ("media.moved.v3.*", "media.moved.v2.*", "media.moved.v1.*")
    assert Consumer("metrics", "CONTENT", (MediaMovedV1,)).arriving == (MediaMovedV1,)


@pytest.mark.usefixtures("chain")
def test_what_does_not_follow_is_not_joined():
    with pytest.raises(TypeError, match=r"media\.moved\.v3 is not the version after media\.moved\.v1"):
        upcasts(MediaMovedV1, MediaMovedV3)(lambda e: MediaMovedV3(**dict(e), place="here"))
    with pytest.raises(TypeError, match=r"media\.moved\.v2 is not the version after connection\.revoked\.v1"):
        downcasts(MediaMovedV2, ConnectionRevokedV1)(lambda e: ConnectionRevokedV1.model_validate(REVOKED))
    with pytest.raises(TypeError, match=r"media\.moved\.v1 becomes media\.moved\.v2 in two ways"):
        upcasts(MediaMovedV1, MediaMovedV2)(lambda e: MediaMovedV2(**dict(e), to="there"))


def test_every_listener_of_a_revocation_hears_both_versions():
    listeners = ("metrics", "publisher", "retention", "scheduler")
    assert listeners_of(ConnectionRevokedV1) == listeners_of(ConnectionRevokedV2) == listeners
    for service in listeners:
        subjects = CONSUMERS[f"{service}-auth"].filter_subjects
        assert {"connection.revoked.v1.*", "connection.revoked.v2.*"} <= set(subjects)


def test_a_schema_says_that_there_is_a_newer_version():
    schemas = SAMPLES.parent / "schemas"
    deprecated = {
        path.name.removesuffix(".schema.json")
        for path in schemas.glob("*.json")
        if json.loads(path.read_text()).get("deprecated")
    }
    assert deprecated == set(OLDER)
