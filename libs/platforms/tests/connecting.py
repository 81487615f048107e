"""How a test connects an account: through the authorisation, as a person would."""

from __future__ import annotations

from typing import Any

import httpx
from kit.clock import Clock
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials
from sandbox.consent import callback_parameters, give_consent

REDIRECT_URI = "http://127.0.0.1:8000/callback"


async def walk_through(
    platform: Platform,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    clock: Clock,
    *,
    handle: str | None = None,
    **choices: Any,
) -> Call:
    """A call as the account that was connected; `choices` are what the person chooses on the consent page."""
    started = await platform.authorise(http, client, state="state-1", handle=handle, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url, **choices))
    assert callback.pop("state") == "state-1"
    grant = await platform.exchange(http, client, callback=callback, kept=started.kept, clock=clock)
    return Call(http, clock, grant)
