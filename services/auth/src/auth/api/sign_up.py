"""Signing up over HTTP."""

from __future__ import annotations

from kit.database import Scope
from kit.secret import Secret
from litestar import MediaType, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import AddressBody, SignUpBody, TokenBody
from auth.ports.people import PasswordHashes
from auth.ports.store import Transactions
from auth.use_cases.signing_up import SignUp, SignUpPolicy, Verified, ask_for_verification, sign_up, verify_address


def sign_up_routes(
    transactions: Transactions, hashes: PasswordHashes, policy: SignUpPolicy
) -> list[ControllerRouterHandler]:
    """Sign up, get the letter again, verify the address that it went to."""

    @post("/api/accounts", status_code=202, media_type=MediaType.TEXT)
    async def register(data: JSONBody[SignUpBody]) -> None:
        asked = SignUp(
            email=data.email,
            password=Secret(data.password),
            full_name=data.full_name,
            company=data.company,
            time_zone=data.time_zone,
            language=data.language,
            age_attested=data.age_attested,
            invitation=Secret(data.invitation) if data.invitation else None,
        )
        await sign_up(transactions, asked, hashes=hashes, policy=policy)

    @post("/api/accounts/verifications", status_code=200)
    async def verify(data: JSONBody[TokenBody]) -> Verified:
        return await verify_address(transactions, Secret(data.token), policy=policy)

    @post("/api/accounts/verifications/requests", status_code=202, media_type=MediaType.TEXT)
    async def send_again(data: JSONBody[AddressBody]) -> None:
        async with transactions(Scope.nobody()) as store:
            await ask_for_verification(store, data.email)

    return [register, verify, send_again]
