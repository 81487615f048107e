"""With `--sandbox` every platform can be tried out: connected by a click, as the account it shows."""

from __future__ import annotations

from kit.clock import SystemClock
from kit.settings import Environment
from platforms.environment import OfferedPlatforms
from platforms.http import create_http_client
from platforms.shape import Call, PlatformName
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox
from signoff.environment import sandbox_platforms

PUBLIC_URL = "http://127.0.0.1:8000"


async def test_every_platform_is_offered_and_can_be_connected():
    clock = SystemClock()
    async with Sandbox(clock=clock) as sandbox:
        settings = sandbox_platforms(sandbox.base_urls, PUBLIC_URL)
        offered = OfferedPlatforms.read(Environment(settings | {"PUBLIC_URL": PUBLIC_URL}))
        assert set(offered.platforms) == set(PlatformName)
        async with create_http_client(offered.allowed_hosts) as http:
            for name, platform in offered.platforms.items():
                client = offered.credentials[name]
                started = await platform.authorise(http, client, state="state", handle="brand.test", clock=clock)
                callback = callback_parameters(await give_consent(http, started.url))
                grant = await platform.exchange(http, client, callback=callback, kept=started.kept, clock=clock)
                profile = await platform.profile(Call(http, clock, grant))
                assert (profile.account_id, bool(profile.handle)) == (grant.account_id, True), name
                assert set(platform.scopes) <= set(grant.scopes), name
