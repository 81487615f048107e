"""Addresses of media: under our public address, for an hour, and none where there is nothing to reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.sealing import SealedMedia
from kit.clock import MovableClock
from kit.keys import SigningKey, TrustedKeys
from kit.links import LinkedObject, LinkIssuer, LinkReader
from kit.objects import Objects
from kit.settings import Environment
from platforms.errors import Misconfigured
from publisher.adapters.media import ObjectMedia
from publisher.settings import Settings

from services.publisher.tests.neighbours import store_media


@pytest.fixture
def media(environment: dict[str, str]) -> SealedMedia:
    return store_media(environment["OBJECT_STORE_URL"], b"a red door")


def offered_by(environment: dict[str, str], clock: MovableClock) -> ObjectMedia:
    settings = Settings.read(Environment(environment))
    key = SigningKey.load("publisher", settings.base.signing_key_file)
    return ObjectMedia(Objects(settings.object_store_url), LinkIssuer(key, clock), settings.media_url)


async def test_an_address_holds_a_link_that_content_reads(
    environment: dict[str, str], trusted: TrustedKeys, clock: MovableClock, media: SealedMedia
):
    public = environment | {"PUBLIC_URL": "https://signoff.example/"}
    address = await offered_by(public, clock).source(media).address()
    before, _, token = address.rpartition("/")
    assert before == "https://signoff.example/media"
    linked = LinkReader("publisher", trusted, clock).read(token)
    assert linked == LinkedObject(media.object_key, "image/jpeg", len(b"a red door"))


@pytest.mark.parametrize(
    "more", [{"PUBLIC_URL": ""}, {"PUBLIC_URL": "http://signoff.example", "SIGNOFF_STAGE": "production"}]
)
async def test_without_an_encrypted_way_to_us_there_is_no_address(
    environment: dict[str, str], clock: MovableClock, media: SealedMedia, more: dict[str, str], tmp_path: Path
):
    source = offered_by(environment | {"CLOCK_FILE": "", "NATS_PLAIN_TEXT": "allowed"} | more, clock).source(media)
    with pytest.raises(Misconfigured, match="PUBLIC_URL"):
        await source.address()
