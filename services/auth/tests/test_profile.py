"""A person's address and photo: what they change, and who sees it."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from auth.domain.photos import PHOTO_BYTES_MAX
from auth.ports.store import Transactions
from contracts.auth import AccountUpdatedV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.testing.services import Bus
from PIL import Image

from services.auth.tests.client import PASSWORD, Auth, Room

OLD, NEW = "owner@example.com", "new@example.com"


async def ask_for_address(auth: Auth, account_id: UUID, email: str = NEW) -> None:
    body = {"email": email, "password": PASSWORD}
    await auth.ask("POST", "/api/account/address", body, auth.passport(account_id=account_id), expect=202)


@pytest.mark.promise("P01")
@pytest.mark.promise("P71")
async def test_an_address_changes_once_the_new_one_is_proved_and_the_old_one_is_told(auth: Auth, bus: Bus):
    account_id = await auth.sign_up()
    await auth.ask("POST", "/api/password-resets", {"email": OLD}, expect=202)
    reset = await auth.mailbox.token("reset_password", OLD)
    await ask_for_address(auth, account_id, " New@Example.com")
    await auth.mailbox.wait("address_change_asked", OLD)
    token = await auth.mailbox.token("change_address", NEW)
    await auth.sign_in(OLD)
    await auth.ask("POST", "/api/account/address/confirmations", {"token": token}, expect=204)
    headers = await auth.headers(await auth.sign_in(NEW))
    events = (await auth.ask("GET", "/api/account/security-events", headers=headers))["events"]
    assert [each["kind"] for each in events] == ["signed_in", "address_changed", "signed_in"]
    [told] = await auth.mailbox.wait("address_changed", OLD)
    assert NEW not in told.text
    shown = await auth.ask("GET", "/api/account", headers=auth.passport(account_id=account_id))
    assert shown["email"] == NEW
    assert await bus.wait_told(AccountUpdatedV1) == [AccountUpdatedV1(account_id=account_id)]
    # What was sent to the old mailbox opens nothing any more, and the old address is free.
    for path, body in (("address/confirmations", {"token": token}),):
        await auth.ask("POST", f"/api/account/{path}", body, expect=404)
    body = {"token": reset, "password": "another horse battery"}
    await auth.ask("POST", "/api/password-resets/confirmations", body, expect=404)
    await auth.sign_up(OLD)


async def test_an_address_changes_with_the_password_only(auth: Auth):
    headers = auth.passport(account_id=await auth.sign_up())
    before = len(auth.mailbox.received)
    body = {"email": NEW, "password": "wrong horse battery"}
    assert (await auth.ask("POST", "/api/account/address", body, headers, expect=403))["status"] == 403
    await auth.ask("POST", "/api/account/address", {"email": "new", "password": PASSWORD}, headers, expect=422)
    await auth.sign_up("other@example.com")
    assert len(auth.mailbox.received) == before


async def test_who_has_an_address_already_is_told_and_nobody_else(auth: Auth):
    account_id = await auth.sign_up()
    await auth.sign_up(NEW, language="de")
    await ask_for_address(auth, account_id)
    [told] = await auth.mailbox.wait("address_known", NEW)
    assert told.message["Content-Language"] == "de"
    assert auth.mailbox.letters("change_address") == []


async def test_an_address_that_became_anothers_meanwhile_stays_theirs(auth: Auth):
    account_id = await auth.sign_up()
    await ask_for_address(auth, account_id)
    token = await auth.mailbox.token("change_address", NEW)
    await auth.sign_up(NEW)
    problem = await auth.ask("POST", "/api/account/address/confirmations", {"token": token}, expect=409)
    assert problem["type"] == TYPE_PREFIX + "address-taken"
    await auth.sign_in(OLD)


def picture(kind: str = "JPEG", size: tuple[int, int] = (600, 300), **options: Any) -> bytes:
    """Red on its left half, blue on its right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    written = BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


async def put_photo(auth: Auth, account_id: UUID, image: bytes) -> httpx.Response:
    headers = auth.passport(account_id=account_id) | {"Content-Type": "image/jpeg"}
    return await auth.http.put("/api/account/photo", content=image, headers=headers)


@pytest.mark.promise("P01")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_is_stored_small_upright_and_without_its_metadata(auth: Auth, kind: str):
    account_id = await auth.sign_up()
    exif = Image.Exif()
    exif[0x0112] = 3  # turned upside down
    exif[0x010E] = "taken at home"
    assert (await put_photo(auth, account_id, picture(kind, exif=exif))).status_code == 204
    headers = auth.passport(account_id=account_id)
    shown = await auth.http.get("/api/account/photo", headers=headers)
    assert shown.headers["content-type"] == "image/webp"
    assert b"taken at home" not in shown.content
    with Image.open(BytesIO(shown.content)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("WEBP", (256, 256), {})
        left, right = (image.convert("RGB").getpixel((x, 128)) for x in (40, 216))
    assert left[2] > 200 > 60 > left[0]  # type: ignore[index]
    assert right[0] > 200 > 60 > right[2]  # type: ignore[index]
    assert (await auth.http.delete("/api/account/photo", headers=headers)).status_code == 204
    assert (await auth.http.get("/api/account/photo", headers=headers)).status_code == 404


@pytest.mark.parametrize(
    "image",
    [b"", b"no image", picture("GIF"), picture()[:500], picture("PNG", (9_000, 9_000))],
    ids=["nothing", "words", "another kind", "half", "too many pixels"],
)
async def test_what_is_no_photo_is_refused_and_the_one_before_stays(auth: Auth, image: bytes):
    account_id = await auth.sign_up()
    await put_photo(auth, account_id, picture())
    headers = auth.passport(account_id=account_id)
    before = (await auth.http.get("/api/account/photo", headers=headers)).content
    answer = await put_photo(auth, account_id, image)
    assert (answer.status_code, answer.json()["type"]) == (422, TYPE_PREFIX + "photo-refused")
    assert (await auth.http.get("/api/account/photo", headers=headers)).content == before
    assert (await put_photo(auth, account_id, bytes(PHOTO_BYTES_MAX + 1))).status_code == 413


@pytest.mark.promise("P11")
async def test_a_photo_is_seen_by_those_who_share_a_workspace_and_taken_away_by_its_owner_only(
    room: Room, transactions: Transactions, superuser: psycopg.Connection[Any]
):
    auth = room.auth
    member = await auth.add_member(room.workspace_id, room.account_id, "member@example.com", "viewer")
    stranger = await auth.sign_up("stranger@example.com")
    for account_id in (member, stranger):
        await put_photo(auth, account_id, picture())

    async def status(account_id: UUID, workspace_id: UUID = room.workspace_id) -> int:
        path = f"/api/workspaces/{workspace_id}/members/{account_id}/photo"
        return (await auth.http.get(path, headers=room.headers)).status_code

    assert [await status(each) for each in (member, stranger, room.account_id)] == [200, 404, 404]
    assert await status(member, new_id()) == 403
    async with transactions(Scope.workspace(room.workspace_id, room.account_id)) as store:
        assert await store.photos.find(member) is not None
        await store.photos.remove(member)
    assert superuser.execute("SELECT count(*) FROM photo").fetchone() == (2,)
