"""A passport says who calls: only auth vouches for people, nobody for another service, and no one for long."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.access import Permission, Role
from joserfc import jwt
from kit.calls import InProcess
from kit.clock import FixedClock
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import LIFETIME, Caller, KeyLimits, Passports, permission, person, service
from kit.problems import EXCEPTION_HANDLERS, Unauthenticated
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.params import FromPath

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
PERSON = Caller(account_id=UUID(int=1), session_id=UUID(int=2), workspace_id=UUID(int=3), role=Role.EDITOR)


class House:
    """The passports of several services, on one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(NOW)
        self._folder = folder

    def key(self, name: str) -> SigningKey:
        return SigningKey.load(name, self._folder / f"{name}.signing.pem")

    def of(self, name: str) -> Passports:
        return Passports(self.key(name), TrustedKeys.load(self._folder / "trusted.jwks.json"), self.clock)

    def signed(self, signer: str, claims: dict[str, Any], *, kid: str | None = None) -> str:
        """A passport with any claims, as a service that misbehaves could make it."""
        valid = {"iss": (kid or signer).partition("#")[0], "exp": int((NOW + LIFETIME).timestamp())}
        key = self.key(signer).present
        header = {"alg": "Ed25519", "kid": kid or key.kid}
        return jwt.encode(header, valid | claims, key.jwk, algorithms=["Ed25519"])


@pytest.fixture
def house(keys_folder: Path) -> House:
    return House(keys_folder)


def test_a_person_is_known_to_every_service(house: House):
    assert house.of("content").verify(house.of("auth").issue(PERSON)) == PERSON


def test_a_service_speaks_for_itself(house: House):
    assert house.of("auth").verify(house.of("publisher").issue_own()) == Caller(service="publisher")


def test_a_passport_ends_after_a_minute(house: House):
    token = house.of("auth").issue(PERSON)
    house.clock.advance(LIFETIME - timedelta(seconds=1))
    assert house.of("content").verify(token) == PERSON
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        house.of("content").verify(token)


KEY = KeyLimits(UUID(int=4), frozenset({Permission.POST_READ, Permission.POST_APPROVE}), frozenset({UUID(int=5)}))


def test_a_key_narrows_its_person_and_never_widens_them(house: House):
    caller = house.of("content").verify(house.of("auth").issue(replace(PERSON, session_id=None, key=KEY)))
    assert caller.key == KEY
    assert caller.may(Permission.POST_READ)
    assert not caller.may(Permission.POST_WRITE)  # the person may, the key may not
    assert not caller.may(Permission.POST_APPROVE)  # the key says so, but the person may not
    assert caller.reaches(UUID(int=5))
    assert not caller.reaches(UUID(int=5), UUID(int=6))
    assert caller.reached([5, 6, 7], lambda number: [UUID(int=number)]) == [5]


def test_a_key_without_a_list_reaches_every_connection(house: House):
    caller = replace(PERSON, key=KeyLimits(UUID(int=4), frozenset()))
    assert house.of("content").verify(house.of("auth").issue(caller)).reaches(new_id())
    assert PERSON.reaches(new_id())


ACCOUNT = f"account:{PERSON.account_id}"


@pytest.mark.parametrize(
    ("signer", "kid", "claims"),
    [
        ("content", None, {"sub": ACCOUNT}),  # only auth vouches for people
        ("content", None, {"sub": "service:publisher"}),  # nobody speaks for another
        ("content", "auth", {"sub": ACCOUNT}),  # not auth's signature
        ("content", None, {"sub": ACCOUNT, "iss": "auth"}),
        ("content", None, {"sub": "service:content", "iss": "auth"}),
        ("auth", None, {"sub": "service:publisher"}),
        ("auth", None, {"sub": "account:somebody"}),
        ("auth", None, {"sub": f"robot:{PERSON.account_id}"}),
        ("auth", None, {"sub": ACCOUNT, "role": "emperor"}),
        ("auth", None, {"sub": ACCOUNT, "wid": "everywhere"}),
        ("auth", None, {"sub": ACCOUNT, "key": {"id": str(UUID(int=4)), "may": ["everything"]}}),
        ("auth", None, {"sub": ACCOUNT, "key": {"id": str(UUID(int=4))}}),
        ("auth", None, {"sub": ACCOUNT, "key": None}),
        ("auth", None, {"sub": ACCOUNT, "exp": "tomorrow"}),
        ("auth", None, {"sub": ACCOUNT, "exp": [10**18]}),
        ("auth", None, {"sub": None}),
        ("auth", None, {"sub": 7}),
        ("auth", None, {}),
        ("auth", "stranger", {"sub": "service:stranger"}),
    ],
)
def test_a_passport_that_claims_too_much_is_refused(house: House, signer: str, kid: str | None, claims: dict[str, Any]):
    with pytest.raises(Unauthenticated):
        posing_as = house.key(kid).present.kid if kid == "auth" else kid
        house.of("metrics").verify(house.signed(signer, claims, kid=posing_as))


def _part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_an_unsigned_or_altered_passport_is_refused(house: House):
    verifier, good = house.of("content"), house.of("auth").issue(PERSON)
    header, claims, signature = good.split(".")
    owner = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"role": "owner"}
    kid = house.key("auth").present.kid
    unsigned = {"alg": "none", "kid": kid}
    symmetric = {"alg": "HS256", "kid": kid}
    for token in (
        f"{header}.{_part(owner)}.{signature}",
        f"{_part(unsigned)}.{claims}.",
        f"{_part(symmetric)}.{claims}.{signature}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        "",
        "x",
        "a.b.c",
        "ä.ö.ü",
        f"{_part({'alg': 'Ed25519'})}.{claims}.{signature}",
    ):
        with pytest.raises(Unauthenticated):
            verifier.verify(token)


@pytest.fixture
async def client(house: House):
    @get("/workspaces/{workspace_id:uuid}/posts", guards=[permission(Permission.POST_WRITE)])
    async def posts(workspace_id: FromPath[UUID]) -> str:
        return str(workspace_id)

    @get("/account", guards=[person()])
    async def account() -> str:
        return "known"

    @get("/workspaces/{workspace_id:uuid}/keys", guards=[permission(Permission.API_KEY_MANAGE)])
    async def keys(workspace_id: FromPath[UUID]) -> str:
        return "keys"

    @get("/internal", guards=[service("publisher", "metrics")])
    async def internal() -> str:
        return "between us"

    app = Litestar(
        [posts, account, keys, internal],
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"passports": house.of("content")}),
        openapi_config=None,
        logging_config=None,
    )
    async with httpx.AsyncClient(transport=InProcess({"content": app}, "content"), base_url="http://content") as client:
        yield client


OWNER = replace(PERSON, role=Role.OWNER)
EVERYTHING = KeyLimits(UUID(int=4), frozenset(Permission))
KEYS = f"/workspaces/{PERSON.workspace_id}/keys"
POSTS = f"/workspaces/{PERSON.workspace_id}/posts"


@pytest.mark.promise("P07")
@pytest.mark.promise("P11")
@pytest.mark.parametrize(
    ("path", "caller", "status", "needs"),
    [
        (POSTS, PERSON, 200, None),
        (POSTS, Caller(PERSON.account_id, None, PERSON.workspace_id, Role.VIEWER), 403, "post.write"),
        (POSTS, Caller(PERSON.account_id, None, PERSON.workspace_id, Role.APPROVER), 403, "post.write"),
        (POSTS, Caller(PERSON.account_id, None, new_id(), Role.OWNER), 403, "workspace.member"),
        (POSTS, Caller(PERSON.account_id), 403, "workspace.member"),
        (POSTS, Caller(service="publisher"), 401, None),
        (POSTS, None, 401, None),
        (POSTS, replace(OWNER, key=EVERYTHING), 200, None),
        (POSTS, replace(OWNER, key=KEY), 403, "post.write"),
        (POSTS, replace(PERSON, role=Role.VIEWER, key=EVERYTHING), 403, "post.write"),
        (KEYS, OWNER, 200, None),
        (KEYS, PERSON, 403, "api_key.manage"),
        (KEYS, replace(OWNER, key=EVERYTHING), 403, "session"),
        ("/account", replace(OWNER, key=EVERYTHING), 403, "session"),
        ("/account", Caller(PERSON.account_id), 200, None),
        ("/account", Caller(service="publisher"), 401, None),
        ("/account", None, 401, None),
        ("/internal", Caller(service="publisher"), 200, None),
        ("/internal", Caller(service="gateway"), 403, "service"),
        ("/internal", PERSON, 403, "service"),
        ("/internal", None, 401, None),
    ],
)
async def test_a_guard_lets_in_whom_it_names(
    client: httpx.AsyncClient, house: House, path: str, caller: Caller | None, status: int, needs: str | None
):
    headers = {}
    if caller is not None:
        token = house.of(caller.service or "auth").issue(caller)
        headers = {"Authorization": f"Bearer {token}"}
    answer = await client.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    if needs == "session":
        assert answer.json()["type"] == "urn:signoff:problem:session-needed"
    elif status == 403:
        assert answer.json()["type"] == "urn:signoff:problem:forbidden"
        assert answer.json()["needs"] == needs
    if status == 401:
        assert answer.json()["type"] == "urn:signoff:problem:unauthenticated"
        assert answer.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b c", "bearer x.y.z"])
async def test_another_kind_of_authorisation_is_none(client: httpx.AsyncClient, header: str):
    assert (await client.get("/account", headers={"Authorization": header})).status_code == 401
